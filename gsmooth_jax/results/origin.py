"""The classifier that a run's claims are about, found again. Host."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gsmooth_jax import assets, models
from gsmooth_jax.models import Model
from gsmooth_jax.results import headers
from gsmooth_jax.surrogate import denoiser as denoisers


def classifier_of(
    header: Mapping[str, Any], checkpoint: Sequence[Path], model: str | None = None, denoiser: Path | None = None
) -> Model:
    """Loads the classifier that a run is about.

    Args:
      header: the run's.
      checkpoint: its folder, or those of an ensemble's members; if empty, the one shipped for the transform.
      model: instead, the text that names it; see ``models.named_model``. How it takes its images is in the header.
      denoiser: folder of the denoiser before it, if there is one.

    Raises:
      ValueError: none is shipped for the transform, or it is another classifier than the run's.
      FileNotFoundError: there is none.
    """
    if model is not None and checkpoint:
        raise ValueError(f"Expected a checkpoint or a model, got both: {[str(c) for c in checkpoint]} and {model!r}.")
    if model is not None and models.elsewhere(model):
        found = _named(header, model)
    else:
        folders = checkpoint or (assets.classifier_for(header["transform"]) if model is None else model,)
        found = models.ensemble([models.load(folder, header["model"].get("dtype")) for folder in folders])
    classifier = denoisers.behind(denoiser, found)
    check_classifier(header, classifier)
    return classifier


def _named(header: Mapping[str, Any], model: str) -> Model:
    domain = headers.domain_of(header)
    if domain is None:
        raise ValueError("The run is of a version before 0.7, whose classifiers were checkpoints: name its folder.")
    (described,) = header["model"].get("architectures") or ({},)
    form = described.get("inputs")
    return models.load_named(model, domain, form, header["model"].get("dtype"))


def check_classifier(header: Mapping[str, Any], classifier: Model) -> None:
    """Raises ValueError unless the classifier is the one that the run's claims are about."""
    domain = headers.domain_of(header)
    if domain not in (None, classifier.domain):
        raise ValueError(
            f"The run's claims are about inputs {domain}, this classifier takes {classifier.domain}: name the "
            "run's own with --checkpoint or --model."
        )
    wanted, found = header["model"]["fingerprint"], models.fingerprint(classifier)
    if wanted != found:
        denoised = any("denoiser" in entry for entry in header["model"].get("architectures") or ())
        raise ValueError(
            f"The run's claims are about the classifier with fingerprint {wanted[:12]}..., this one has "
            f"{found[:12]}...: name the run's own with --checkpoint or --model"
            f"{', and the denoiser before it with --denoiser' if denoised else ''}."
        )
