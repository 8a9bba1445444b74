"""The classifier that a run's claims are about, found again. Host."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gsmooth_jax import assets, models
from gsmooth_jax.models import Model
from gsmooth_jax.results import headers


def classifier_of(header: Mapping[str, Any], checkpoint: Sequence[Path]) -> Model:
    """Loads the classifier that a run is about.

    Args:
      header: the run's.
      checkpoint: its folder, or those of an ensemble's members; if empty, the one shipped for the transform.

    Raises:
      ValueError: none is shipped for the transform, or it is another classifier than the run's.
      FileNotFoundError: there is none.
    """
    folders = checkpoint or (assets.classifier_for(header["transform"]),)
    classifier = models.ensemble([models.load(folder, header["model"].get("dtype")) for folder in folders])
    check_classifier(header, classifier)
    return classifier


def check_classifier(header: Mapping[str, Any], classifier: Model) -> None:
    """Raises ValueError unless the classifier is the one that the run's claims are about."""
    domain = headers.domain_of(header)
    if domain not in (None, classifier.domain):
        raise ValueError(f"The run's claims are about inputs {domain}, this classifier takes {classifier.domain}.")
    wanted, found = header["model"]["fingerprint"], models.fingerprint(classifier)
    if wanted != found:
        raise ValueError(
            f"The run's claims are about the classifier with fingerprint {wanted[:12]}..., this one has "
            f"{found[:12]}...: name the run's own with --checkpoint."
        )
