"""Makes a run folder: certifies what it lacks, and can be stopped and gone on with at any time. Host."""

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from gsmooth_jax import models, smoothing, transforms
from gsmooth_jax.claims import Claim
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.methods.stream import certify_stream, check_example
from gsmooth_jax.models import Classifier, Model
from gsmooth_jax.results import headers
from gsmooth_jax.results.folder import RunWriter, finished
from gsmooth_jax.results.inputs import Inputs
from gsmooth_jax.results.recorded import RATE
from gsmooth_jax.surrogate import SurrogateNoise
from gsmooth_jax.surrogate import denoiser as denoisers
from gsmooth_jax.types import Example


class RunFailed(Exception):
    """A run that had started could not go on; what it had written stays."""


class Progress(Protocol):
    """Is told how a run gets on."""

    def started(
        self, requirement: str, *, images: int | None, done: int, certified: int
    ) -> contextlib.AbstractContextManager[None]:
        """Returns what is entered while the run is at work.

        Args:
          requirement: what a claim takes, in words.
          images: of this process; None where it is not known.
          done: how many of them earlier sessions have done.
          certified: how many of those are certified.
        """
        ...

    def votes(self, count: int) -> None:
        """So many votes more have been counted."""
        ...

    def finished(self, claim: Claim) -> None:
        """A claim has been written."""
        ...

    def interrupted(self, kept: int) -> None:
        """The run was interrupted; so many images are kept."""
        ...


class _Silent:
    """Tells nobody."""

    def started(
        self, requirement: str, *, images: int | None, done: int, certified: int
    ) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def votes(self, count: int) -> None:
        """Nothing."""

    def finished(self, claim: Claim) -> None:
        """Nothing."""

    def interrupted(self, kept: int) -> None:
        """Nothing."""


def certify(
    classifier: Model,
    inputs: Inputs,
    guarantee: Guarantee,
    folder: Path,
    *,
    index: int = 0,
    count: int = 1,
    execution: Execution | None = None,
    progress: Progress | None = None,
) -> bool:
    """Certifies the inputs that a run's folder lacks, and writes each claim there as it comes.

    Args:
      classifier: see ``as_model``.
      inputs: what the run is about; those of the folder's run, and perhaps more.
      guarantee: what is claimed.
      folder: of the run; made when missing, gone on with when it holds a part of this run.
      index: which process this is.
      count: how many share the run.
      execution: how the machine is used.
      progress: is told how the run gets on.

    Returns:
      Whether there was anything to do; False where the folder held the whole run already.

    Raises:
      ValueError: before the folder is touched, whatever is wrong with the arguments; or the folder holds another run.
      RunFailed: the run had started and could not go on; what it had written stays.
    """
    _check(classifier, inputs)
    header, inputs = _continued(folder, guarantee, headers.model_of(classifier), inputs)
    guarantee.method.requirement(guarantee)
    if count == 1 and inputs.ids is not None and finished(folder, header, inputs.ids):
        return False
    told, done = progress or _Silent(), set[int]()
    images = None if inputs.ids is None else len(inputs.ids[index::count])
    # The stream is built before the folder is touched, so that bad input leaves nothing behind; it starts when pulled.
    left = (e for e in inputs.share(index, count) if e.id not in done)
    first: list[Example] = []  # taken before the others, to say what it will take
    examples = itertools.chain.from_iterable((first, left))
    claims = certify_stream(classifier, examples, guarantee, execution, on_votes=told.votes)
    with RunWriter(folder, header, process_index=index, process_count=count) as run:
        done |= run.done
        first += itertools.islice(left, 1)
        requirement = guarantee.method.requirement(guarantee, _sound(first, classifier))
        with told.started(requirement, images=images, done=len(run.done), certified=run.certified):
            _write(claims, run, folder, told, images)
    return True


def _continued(
    folder: Path, guarantee: Guarantee, model: dict[str, Any], inputs: Inputs
) -> tuple[dict[str, Any], Inputs]:
    """The run's header, and its inputs in its order: first those that the folder's run has, then those that are new."""
    place = folder / headers.FILE
    if place.is_file():
        known = headers.load(place)
        again = inputs.beginning(known["data"])
        if again is not None:
            header = headers.make(guarantee, model=model, data=again.part)
            return headers.grown(known, json.loads(json.dumps(header))), again
    return headers.make(guarantee, model=model, data=inputs.part), inputs


def _sound(first: list[Example], classifier: Model) -> Example | None:
    """The first example, if there is one and it is as it should be; if not, the stream will say so."""
    for example in first:
        with contextlib.suppress(ValueError):
            check_example(example, classifier)
            return example
    return None


def _check(classifier: Model, inputs: Inputs) -> None:
    """Raises ValueError unless the classifier can be told from others, and the inputs are such as it takes."""
    if unseen := models.unseen(classifier):
        raise ValueError(
            f"A run's folder says by a fingerprint what computes, and that cannot be seen: {'; '.join(unseen)}. "
            "Name it yourself: gs.models.HostModel(function, layout=..., fingerprint='a name that no other has')."
        )
    models.check_model(classifier)
    classes = classifier.classes if isinstance(classifier, Classifier) else inputs.classes
    if inputs.domain not in (None, classifier.domain) or inputs.classes > classes:
        raise ValueError(
            f"The classifier takes images {classifier.domain} of {classes} classes, {inputs.part['name']} has images "
            f"{inputs.domain} of {inputs.classes}: choose another checkpoint or other data."
        )
    models.check_sample_rate(classifier.apply, inputs.part.get(RATE))
    if inputs.at_hand:
        for example in inputs.share(0, 1):
            check_example(example, classifier)


def _write(claims: Iterator[Claim], run: RunWriter, folder: Path, told: Progress, images: int | None) -> None:
    """Appends each claim as it comes, until the run holds so many images."""
    try:
        for claim in claims:
            run.append(claim)
            told.finished(claim)
        if images is not None and len(run.done) < images:
            raise ValueError(f"The data ended early: {images} images were announced.")
    except KeyboardInterrupt:
        told.interrupted(len(run.done))
        raise
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        kept = f"{len(run.done)} images are kept in {folder}; run the same command to go on."
        raise RunFailed(f"{error}\n{kept}") from error


def trained_law(checkpoint: Path, transform: str) -> registry.Law:
    """Returns the law, or the noise, under which a checkpoint was trained; noise of the pixels is exact here.

    Args:
      checkpoint: its folder.
      transform: name of the one to be certified against.

    Raises:
      ValueError: it was trained under none for this transform.
      FileNotFoundError: there is no checkpoint, or its surrogate is nowhere to be found.
    """
    info = models.describe(checkpoint)["info"]
    training: dict[str, Any] = info.get("training", {})
    if training.get("surrogate"):
        return _trained_surrogate(checkpoint, training, info.get("surrogate", {}))
    if training.get("noise"):
        return smoothing.PixelNoise(sigma=training["noise"], exact=True)
    laws = dict(zip(training.get("transform", ()), training.get("law", ()), strict=True))
    laws |= {transforms.parse(text).name: law for text, law in laws.items()}
    if transform not in laws:
        raise ValueError(f"The checkpoint was trained under {laws}: name the law for {transform} (--law).")
    return smoothing.parse(laws[transform])


def fitted_noise(denoiser: Path) -> smoothing.PixelNoise:
    """Returns the noise that a denoiser was fitted to, exact; raises as ``surrogate.denoiser.fitted_noise``."""
    return smoothing.PixelNoise(sigma=denoisers.fitted_noise(denoiser), exact=True)


def _trained_surrogate(checkpoint: Path, training: dict[str, Any], found: dict[str, Any]) -> SurrogateNoise:
    """The noise of the surrogate behind which a checkpoint was trained, wherever the two are now."""
    noise = SurrogateNoise(
        path=training["surrogate"],
        sigma_parameter=training["sigma_parameter"],
        sigma=training["noise"],
        fingerprint=found.get("fingerprint", ""),
        places=(str(checkpoint / found["from_checkpoint"]),) if found else (),
    ).seen_from(checkpoint)
    return dataclasses.replace(noise.load().spec, places=noise.places)
