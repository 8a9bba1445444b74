"""``gsmooth evaluate``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from gsmooth_jax.cli.console import err_console, out_console, print_json, require_devices


def evaluate(
    data: str = "embedded",
    split: str = "test",
    every: int = 1,
    limit: int | None = None,
    checkpoint: tuple[Path, ...] = (),
    transform: tuple[str, ...] = (),
    corruptions: Path | None = None,
    law: str | None = None,
    votes: int = 100,
    alpha: float = 0.001,
    seed: int = 0,
    data_dir: str | None = None,
    rows: int | Literal["auto"] | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    json: bool = False,
) -> None:
    """Tell corrupted images by the smoothed classifier: its accuracy at five severities. An average, not a proof.

    Args:
        data: embedded, or a data set that `gsmooth data prepare` has prepared.
        split: of the data set.
        every: take images 0, every, 2 every, ...
        limit: take this many images at most.
        checkpoint: folder of `gsmooth train`, or several, which then vote by their mean log-probabilities; the one
            shipped for the transform if left out.
        transform: what corrupts, one after the other: severity 5 is an end of its published range, and 1 a fifth of it.
            It is also what a law of a parameter draws from.
        corruptions: instead, a folder with the .npy files of CIFAR-10-C, each of which is a row.
        law: smoothing law, or noise, as for `gsmooth certify`; the one that the checkpoint was trained with if left
            out.
        votes: draws an image.
        alpha: an answer is another than the smoothed classifier's with at most this probability; else it abstains.
        seed: of all draws.
        data_dir: where data sets are prepared; the TFDS default if left out.
        rows: images in a device batch (speed only); auto takes the most that fit its memory.
        chunk: votes that an image makes at once (memory only).
        devices: how many local devices to use (speed only).
        json: print one JSON object and nothing else.
    """
    require_devices()
    import numpy as np
    from rich.progress import track

    from gsmooth_jax import _spec, assets, models, transforms
    from gsmooth_jax import corruptions as corrupt
    from gsmooth_jax import data as datasets
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.methods import registry
    from gsmooth_jax.methods.smoothed import Smoothed
    from gsmooth_jax.regions import Box
    from gsmooth_jax.results.certify import trained_law
    from gsmooth_jax.results.tables import Figures, percent
    from gsmooth_jax.types import Smoothing, Transform

    moves = [transforms.parse(text) for text in transform]
    if still := [move.name for move in moves if not move.params]:
        raise ValueError(f"Expected transforms with parameters, got {', '.join(still)}.")
    if not moves and corruptions is None:
        raise ValueError("Expected --transform, such as zoom_blur, or --corruptions, a folder of .npy files; got none.")
    if corruptions is not None and len(moves) > 1:
        raise ValueError(f"Expected one transform at most with --corruptions, for the law, got {', '.join(transform)}.")
    named = corrupt.files(corruptions) if corruptions is not None else [move.name for move in moves]
    folders = checkpoint or (Path(assets.classifier_for(moves[0].name if moves else "")),)
    classifier = models.ensemble([models.load(folder) for folder in folders])
    execution = Execution(rows=rows, chunk=chunk, devices=devices)
    examples = list(datasets.stream(data, split, every=every, limit=limit, data_dir=data_dir))
    images, labels = np.stack([e.image for e in examples]), np.array([e.label for e in examples])
    ids = np.array([e.id for e in examples])

    def smoothed(move: Transform | None) -> Smoothed:
        found = (
            _spec.build(law, registry.LAWS, kind="law") if law else trained_law(folders[0], getattr(move, "name", ""))
        )
        drawn = move if isinstance(found, Smoothing) else None
        return Smoothed(classifier, found, transform=drawn, seed=seed, execution=execution)

    def corrupted(row: int) -> Iterator[np.ndarray]:
        if corruptions is not None:
            yield from corrupt.read(corruptions, named[row], classifier.input_shape, ids, labels)
            return
        box = Box(*zip(*moves[row].typical, strict=True))
        for severity in range(1, corrupt.SEVERITIES + 1):
            yield corrupt.transformed(images, moves[row], box, severity, ids=ids, seed=seed)

    found, terms = [], {"votes": votes, "alpha": alpha}
    for row in track(range(len(named)), description="evaluating", console=err_console):
        asked = smoothed(moves[row] if corruptions is None else next(iter(moves), None))
        found.append([corrupt.score(asked, each, labels, ids, **terms) for each in (images, *corrupted(row))])
    if json:
        rows_found = {
            name: {"accuracy": [s.accuracy for s in each], "abstained": [s.abstained for s in each]}
            for name, each in zip(named, found, strict=True)
        }
        print_json({"data": data, "split": split, "images": len(images), **terms, "corruptions": rows_found})
        return
    severities = [str(s) for s in range(1, corrupt.SEVERITIES + 1)]
    means = [[float(np.mean(each)) for each in zip(*scores[1:], strict=True)] for scores in found]
    table = [
        (name, *(percent(s.accuracy) for s in scores), percent(mean))
        for name, scores, (mean, _) in zip(named, found, means, strict=True)
    ]
    title = f"Accuracy of the smoothed classifier by severity, {len(images)} images"
    out_console.print(Figures(title, ("", "clean", *severities, "mean"), table), crop=False)
    abstained = ", ".join(f"{name} {percent(share)}" for name, (_, share) in zip(named, means, strict=True))
    out_console.print(f"An average over images: nothing is proved. No answer: {abstained}.", soft_wrap=True)
