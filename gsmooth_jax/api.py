"""In one call each: ``load`` a model, ``certify`` images in memory; make, verify and report runs in folders."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gsmooth_jax import _validate, models, results
from gsmooth_jax.claims import Claim
from gsmooth_jax.data.specs import DatasetSpec
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.base import Method, Test
from gsmooth_jax.methods.stream import certify_stream, check_example
from gsmooth_jax.models import Classifier, Denoiser, Model, Regressor, as_model
from gsmooth_jax.results import certify as making
from gsmooth_jax.results import headers, inputs, sources
from gsmooth_jax.results import replay as replaying
from gsmooth_jax.results import verify as verifying
from gsmooth_jax.results.certify import Progress
from gsmooth_jax.results.run import Run, read
from gsmooth_jax.results.verify import Verification
from gsmooth_jax.surrogate import denoiser
from gsmooth_jax.types import Domain, Region, Transform


def load(path: str | os.PathLike[str], dtype: str | None = None) -> Classifier:
    """Reads a checkpoint folder that ``gsmooth train`` wrote.

    Args:
      path: the folder.
      dtype: in which the network computes, ``float32`` or ``bfloat16``; the checkpoint's own when None.

    Raises:
      FileNotFoundError: there is none.
      ValueError: a file is damaged, or the weights are not those of the declared architecture.
    """
    from gsmooth_jax.models import checkpoint  # brings Flax

    return checkpoint.load(path, dtype)


def load_denoiser(path: str | os.PathLike[str]) -> Denoiser:
    """Reads a folder that ``gsmooth fit-denoiser`` wrote, for ``Denoised``.

    Args:
      path: the folder.

    Raises:
      FileNotFoundError: there is none.
      ValueError: a file is damaged, or the folder holds something else.
    """
    return denoiser.load(path)


def certify(
    model: Any,
    images: np.ndarray | jax.Array,
    labels: Sequence[int] | Sequence[float] | np.ndarray | jax.Array | None = None,
    *,
    transform: Transform,
    region: Region,
    law: registry.Law | None = None,
    method: str | Method = "auto",
    alpha: float = 1e-3,
    test: Test = "sequential",
    max_votes: int = 10_000,
    block: int = 0,
    seed: int = 0,
    ids: Sequence[int] | np.ndarray | None = None,
    domain: Domain | None = None,
    execution: Execution | None = None,
) -> list[Claim]:
    """Certifies a few images, or other inputs, against every transformation of a region.

    Args:
      model: any callable images [B, H, W, C] float32 -> logits [B, K], see ``as_classifier``; or -> numbers [B], for
        ``median``.
      images: [N, H, W, C] float32 in [0, 1]; or N inputs of another ``domain``.
      labels: [N] true classes, or numbers; None where they are not known. What is proved does not depend on them, but
        ``cover`` and ``enumerate`` spend nothing on proving another class than the label.
      transform: what the adversary applies.
      region: its parameters, in the transform's units.
      law: the smoothing law of the parameter, or ``smoothing.Product`` of one for each stage of a composition; or the
        noise of the pixels or of a surrogate's latent.
      method: its name (``gsmooth methods``); ``auto`` takes the one made for the transform and the law. Or the method
        itself, which brings its law.
      alpha: each claim is false with at most this probability.
      test: ``sequential`` stops when sure, ``fixed`` spends ``max_votes`` on every image.
      max_votes: most draws that test one image.
      block: votes between two looks of the sequential test; 0: as the method has it.
      seed: of all draws.
      ids: [N] image ids >= 0, part of every draw's key; 0, 1, ... unless given.
      domain: shape and range of an input, such as ``Domain((16000,), -1.0, 1.0)`` of waveforms; unless given the
        model's own, and of a model that has none the shape of the images and [0, 1].
      execution: how the machine is used; never changes a claim.

    Returns:
      N claims, in the order of the images.

    Raises:
      ValueError: before any work, whatever is wrong with the arguments: the message has name, value and rule. Also a
        model whose outputs are no function of the image alone.
    """
    examples = inputs.of_arrays(images, labels, ids)
    found = as_model(model, domain or np.shape(images)[1:])
    guarantee = registry.guarantee(
        transform=transform,
        region=region,
        method=registry.choose(method, law, transform),
        alpha=alpha,
        test=test,
        max_votes=max_votes,
        block=block,
        seed=seed,
    )
    if isinstance(found, Classifier) and labels is not None and not np.issubdtype(np.asarray(labels).dtype, np.integer):
        raise ValueError(f"Expected labels to be integers, got dtype {np.asarray(labels).dtype}.")
    for example in examples:
        check_example(example, found)
    models.check_model(found)
    return list(certify_stream(found, examples, guarantee, execution))


def certify_run(
    model: Any,
    data: Any,
    *,
    out: str | os.PathLike[str],
    transform: Transform,
    region: Region,
    law: registry.Law | None = None,
    method: str | Method = "auto",
    alpha: float = 1e-3,
    test: Test = "sequential",
    selection_votes: int = 32,
    max_votes: int = 10_000,
    block: int = 0,
    seed: int = 0,
    domain: Domain | None = None,
    split: str = "test",
    every: int = 1,
    limit: int | None = None,
    data_dir: str | None = None,
    resize: Sequence[int] = (),
    crop: Sequence[int] = (),
    execution: Execution | None = None,
    progress: Progress | None = None,
) -> Run:
    """Certifies a data set into a run's folder, as ``gsmooth certify`` does: stopped, it goes on when called again.

    >>> import gsmooth_jax as gs
    >>> run = gs.certify_run("runs/mnist-blur", "mnist", out="runs/mnist-blur-cert", every=20,
    ...     transform=gs.transforms.GaussianBlur(), region=gs.Box([0], [36]))  # doctest: +SKIP

    Args:
      model: a checkpoint's folder, or several, which then vote by their mean log-probabilities; the text of another
        network, such as ``nets.py:net``; or as for ``certify``. A function whose constants cannot be seen needs a
        ``HostModel`` that names its fingerprint.
      data: name of a data set that ``gsmooth data prepare`` has prepared, or TFDS, or ``embedded``; ``folder:PATH`` of
        pictures, or a ``file.npz`` of images, labels and ids; images [N, H, W, C] in memory, or a tuple (images,
        labels) or (images, labels, ids) of arrays; or ``Example``s: a list of them, or an iterable, which is taken only
        as there is room. Of a mere iterable nobody can tell whether the run holds all.
      out: the run's folder. One of another claim is refused.
      transform: what the adversary applies.
      region: its parameters, in the transform's units.
      law: as for ``certify``; the one that the checkpoint was trained with if None.
      method: as for ``certify``.
      alpha: each claim is false with at most this probability.
      test: as for ``certify``.
      selection_votes: draws that choose an image's class, at most: eight that agree are enough.
      max_votes: most draws that test one image.
      block: votes between two looks of the sequential test; 0: as the method has it.
      seed: of all draws.
      domain: as for ``certify``.
      split: of a data set.
      every: take images 0, every, 2 every, ... of a data set.
      limit: take this many images of a data set at most. A run goes on with a larger limit, or with more images.
      data_dir: where data sets are prepared; the TFDS default if None.
      resize: of pictures in a folder: (height, width), or (n,) for the shorter side.
      crop: of them, then: (height, width), or (n,) for both, of the middle.
      execution: how the machine is used; never changes a claim.
      progress: is told how the run gets on; see ``results.certify.Progress``.

    Returns:
      The run, as read back from its folder.

    Raises:
      ValueError: before any work, whatever is wrong with the arguments; or the folder holds another run.
      RunFailed: the run had started and could not go on; what it had written stays, and the same call goes on.
    """
    model = _named(model)
    folders = _folders(model)
    if isinstance(data, str | DatasetSpec):
        chosen = sources.named(data, split, every=every, limit=limit, data_dir=data_dir, resize=resize, crop=crop)
    else:
        chosen = sources.of_any(data)
    wanted = domain or chosen.domain or chosen.shape
    if folders:
        found = models.ensemble([load(folder) for folder in folders])
    elif isinstance(model, Classifier | Regressor):
        found = as_model(model, wanted or model.domain)
    elif wanted is not None:
        found = as_model(model, wanted)
    else:
        raise ValueError("Expected a domain, or a model that has one: the inputs are not known before they come.")
    if folders and law is None and isinstance(method, str) and registry.takes(method) != "nothing":
        law = making.trained_law(folders[0], transform.name)
    guarantee = registry.guarantee(
        transform=transform,
        region=region,
        method=registry.choose(method, law, transform),
        alpha=alpha,
        test=test,
        selection_votes=selection_votes,
        max_votes=max_votes,
        block=block,
        seed=seed,
    )
    making.certify(found, chosen, guarantee, Path(out), execution=execution, progress=progress)
    return read(Path(out))


def verify(
    run: str | os.PathLike[str] | Run,
    *,
    replay: int = 0,
    model: Any = None,
    data: Any = None,
    data_dir: str | None = None,
    execution: Execution | None = None,
) -> Verification:
    """Recomputes every verdict of a run's folder from its evidence, as ``gsmooth verify`` does.

    What is found so, and what only by a replay, is listed in ``results/verify.py``.

    Args:
      run: its folder.
      replay: certify so many images again, chosen anew each time, and compare their records.
      model: for a replay, the run's model, as for ``certify_run``; the one shipped for the transform if None.
      data: for a replay, the inputs, as for ``certify_run``, where the header has no name for them.
      data_dir: where data sets are prepared; the TFDS default if None.
      execution: how the machine is used.

    Returns:
      What was found. Its ``faults`` are empty for an honest run; what could not be checked is ``unchecked``.

    Raises:
      ValueError: no run there, or a damaged file; for a replay, another model or other data than the run's.
    """
    _validate.at_least(0, replay=replay)
    folder = _folder(run)
    found = verifying.check(folder)
    if not replay:
        return found
    model = _named(model)
    folders = [] if model is None else _folders(model)
    subject = folders if folders or model is None else _as_of(results.read_run(folder)[0], model, data)
    again = replaying.of_run(folder, replay, subject, execution, data=data, data_dir=data_dir)
    return dataclasses.replace(
        found, faults=found.faults + again.faults, replayed=again.images, elsewhere=again.elsewhere
    )


def report(
    runs: str | os.PathLike[str] | Run | Sequence[str | os.PathLike[str] | Run],
    *,
    radii: Sequence[float] = (),
    out: str | os.PathLike[str] | None = None,
    html: str | os.PathLike[str] | None = None,
    data: Any = None,
    data_dir: str | None = None,
) -> list[dict[str, Any]]:
    """Returns the figures of runs, as ``gsmooth report --json`` prints them; every image counts in every share.

    Args:
      runs: folders.
      radii: sizes of regions at which the certified accuracy is wanted besides the runs' own.
      out: folder for a picture, ``certified_accuracy.png``; none is drawn if None.
      html: file for a page of every image that needs no other file; none is written if None.
      data: for the page's pictures, the inputs, as for ``certify_run``, where the headers have no name for them.
      data_dir: where data sets are prepared; the TFDS default if None.

    Raises:
      ValueError: no run there, one without a finished image, or a damaged one.
    """
    from gsmooth_jax.results import page
    from gsmooth_jax.results import report as reporting

    one = isinstance(runs, str | os.PathLike | Run)
    read_again = [read(_folder(run)) for run in ([runs] if one else runs)]
    if out is not None:
        reporting.picture(read_again, Path(out))
    if html is not None:
        page.write(read_again, Path(html), radii=radii, data=data, data_dir=data_dir)
    return [reporting.summarize(run, radii) for run in read_again]


def _folder(run: str | os.PathLike[str] | Run) -> Path:
    return run.folder if isinstance(run, Run) else Path(run)


def _named(model: Any) -> Any:
    """What a text names that is no checkpoint's folder; anything else as it is."""
    is_text = isinstance(model, str | os.PathLike)
    return models.named_model(model) if is_text and models.elsewhere(model) else model


def _folders(model: Any) -> list[Path]:
    """The folders that a model names; none where it is a model itself."""
    if isinstance(model, str | os.PathLike):
        return [Path(model)]
    if isinstance(model, Sequence) and all(isinstance(m, str | os.PathLike) for m in model):
        return [Path(m) for m in model]
    return []


def _as_of(header: dict[str, Any], model: Any, data: Any) -> Model:
    """A model as the run's header has it."""
    domain = headers.domain_of(header)
    if domain is None:  # of versions before 0.7
        domain = Domain(next(sources.of_header(header["data"], data).share(0, 1)).image.shape)
    return as_model(model, domain)
