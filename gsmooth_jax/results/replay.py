"""Certifies a few images of a run once more, from their seeds, and compares their records. Device.

What ``verify`` takes as it is, is redrawn here: the votes that chose the class, those of the pilots and of every
hypothesis, the hypotheses themselves and their thresholds. So a replay finds what the evidence alone cannot show: votes
that were never cast, thresholds that are too low, a wrong label, another law, transform or data set than the header
names. Another seed shows only where votes are divided: unanimous ones are the same from any.
"""

import dataclasses
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gsmooth_jax import models
from gsmooth_jax.claims import Claim
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.methods.stream import certify_stream
from gsmooth_jax.models import Classifier, Model, Regressor
from gsmooth_jax.results import headers, origin, records, sources
from gsmooth_jax.results.folder import read_run
from gsmooth_jax.types import Example

_OF_THE_FILE = ("seconds", "own_seconds", "header")
"""Fields that no draw decides."""


def choose(claims: Sequence[Claim], count: int) -> list[Claim]:
    """Returns so many of the claims (all, if they are fewer), in their order: anew each time.

    Chosen by the system's random numbers, so that who wrote the run could not know which images will be redrawn.
    """
    chosen = set(random.SystemRandom().sample(range(len(claims)), min(count, len(claims))))
    return [c for number, c in enumerate(claims) if number in chosen]


@dataclasses.dataclass(frozen=True)
class Replay:
    """What came of a replay.

    Attributes:
      images: ids of those that were certified again.
      faults: what differs, one line a field.
      elsewhere: in what the machine and packages of the run differ from those here; empty if in nothing.
    """

    images: list[int]
    faults: list[str]
    elsewhere: str


def of_run(
    folder: Path,
    count: int,
    model: Model | Sequence[Path] = (),
    execution: Execution | None = None,
    *,
    data: Any = None,
    data_dir: str | None = None,
    named: str | None = None,
    denoiser: Path | None = None,
    watch: Callable[[Iterable[Any], int], Iterable[Any]] = lambda redrawn, total: redrawn,
) -> Replay:
    """Certifies a few images of a run again, chosen anew each time.

    Args:
      folder: of the run.
      count: how many images.
      model: the run's, or the folders of its checkpoints; if empty, the one shipped for the transform.
      execution: how the machine is used; never changes a claim.
      data: the run's inputs, where its header has no name for them; see ``sources.of_any``.
      data_dir: where data sets are prepared; the TFDS default if None.
      named: the text that names the run's model, where that is from elsewhere; see ``models.named_model``.
      denoiser: folder of the denoiser before the run's checkpoints or named model, if there is one.
      watch: gets the images as they come, and how many there are; for progress bars.

    Raises:
      ValueError: another model than the run's; data that are not at hand or cannot be opened.
    """
    header, claims = read_run(folder)
    checkpoint = () if isinstance(model, Classifier | Regressor) else model
    if isinstance(model, Classifier | Regressor):
        origin.check_classifier(header, model)
    else:
        model = origin.classifier_of(header, model, named, denoiser)
    examples = sources.of_header(header["data"], data, data_dir, (folder,)).share(0, 1)
    chosen = choose(claims, count)
    again = replay(model, header, chosen, execution, examples=examples, folders=(*checkpoint, folder))
    found = dict(watch(again, len(chosen)))
    faults = [fault for differ in found.values() for fault in differ]
    return Replay(sorted(found), faults, elsewhere(header, models.runtimes_of(model)))


def replay(
    classifier: Model,
    header: Mapping[str, Any],
    claims: Sequence[Claim],
    execution: Execution | None = None,
    data_dir: str | None = None,
    examples: Iterable[Example] | None = None,
    folders: Sequence[Path] = (),
) -> Iterator[tuple[int, list[str]]]:
    """Certifies the images of some claims again, under the header's terms.

    Args:
      classifier: the one that the header names; see ``origin.check_classifier``.
      header: the run's.
      claims: some of the run's.
      execution: how the machine is used; never changes a claim.
      data_dir: where data sets are prepared; the TFDS default if None.
      examples: the run's inputs, in its order; those that the header names if None.
      folders: near which a surrogate and the data may be found; see ``headers.guarantee_of``.

    Yields:
      An image's id and what differs, one line a field; first those of the data, in its order, then those that it lacks.

    Raises:
      ValueError: data that cannot be opened, or that does not suit the classifier.
    """
    wanted = {c.id: c for c in claims}
    if examples is None:
        examples = sources.of_header(header["data"], data_dir=data_dir, beside=folders).share(0, 1)
    guarantee = headers.guarantee_of(header, folders)
    again = certify_stream(classifier, (e for e in examples if e.id in wanted), guarantee, execution)
    for redrawn in again:
        found = differences(wanted.pop(redrawn.id), redrawn)
        yield redrawn.id, [f"image {redrawn.id}: {difference}" for difference in found]
    yield from ((number, [f"image {number}: the data has no such image"]) for number in wanted)


def differences(recorded: Claim, redrawn: Claim) -> Iterator[str]:
    """Names the fields in which a record is not what the draws give; those of evidence by the first that differs."""
    for name in (f.name for f in dataclasses.fields(Claim) if f.name not in (*_OF_THE_FILE, *records.TABLES)):
        says, gives = getattr(recorded, name), getattr(redrawn, name)
        if name == "clean" and says is None:  # of versions before 0.10
            continue
        if not _same(says, gives):
            yield f"{name}: the file says {says!r}, the replay gives {gives!r}"
    for name, row in records.TABLES.items():
        says, gives = getattr(recorded, name), getattr(redrawn, name)
        if len(says) != len(gives):
            yield f"{name}: the file has {len(says)}, the replay {len(gives)}"
            continue
        columns = zip(zip(*says, strict=True), zip(*gives, strict=True), strict=True)
        for field, (one, other) in zip(row._fields, columns, strict=False):
            unlike = [number for number, (a, b) in enumerate(zip(one, other, strict=True)) if not _same(a, b)]
            if unlike:
                first, others = unlike[0], f" (and of {len(unlike) - 1} others)" if len(unlike) > 1 else ""
                where = f"{field} of {name}[{first}]{others}"
                yield f"{where}: the file says {one[first]!r}, the replay gives {other[first]!r}"


def elsewhere(header: Mapping[str, Any], runtimes: Sequence[str] = ()) -> str:
    """Says in what the machine and packages of a run differ from those here; empty if in nothing.

    Args:
      header: the run's.
      runtimes: what runs the model on the host here, if anything does.
    """
    here = headers.environment() | {"model": {"runtime": list(runtimes)}}
    plain = sorted(here.keys() - {"settings", "versions", "model"})
    then, now = (
        e["versions"]
        | {k: e[k] for k in plain if k in e}
        | e.get("settings", {})
        | {"runtime": ", ".join(e.get("model", {}).get("runtime", ()))}
        for e in (header, here)
    )
    unlike = [
        f"{name} {then[name] or 'none'}, here {now[name] or 'none'}"
        for name in now
        if name in then and then[name] != now[name]
    ]
    if not unlike:
        return ""
    text = (
        f"The run was made elsewhere ({'; '.join(unlike)}): rounding may differ there, and with it, rarely, a vote or "
        "the last digit of a distance. Such a difference alone does not show that a record was altered."
    )
    if then.get("gsmooth_jax", now["gsmooth_jax"]) != now["gsmooth_jax"]:
        text += (
            " Another version may lay out its cells in another way, or give an image up sooner: replay with "
            f"gsmooth_jax {then['gsmooth_jax']}."
        )
    return text


def _same(says: Any, gives: Any) -> bool:
    """Whether two values are one; host arithmetic may differ in the last digits between versions of SciPy."""
    if isinstance(says, float) and isinstance(gives, float):
        return math.isclose(says, gives, rel_tol=1e-9, abs_tol=1e-12)
    return says == gives
