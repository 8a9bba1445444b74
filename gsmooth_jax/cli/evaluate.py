"""``gsmooth evaluate``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import tyro

from gsmooth_jax.cli.console import err_console, out_console, print_json, require_devices
from gsmooth_jax.cli.given import Data, Network


def evaluate(
    data: Annotated[Data, tyro.conf.arg(name="")],
    network: Annotated[Network, tyro.conf.arg(name="")],
    transform: tuple[str, ...] = (),
    corruptions: Path | None = None,
    law: str | None = None,
    votes: int = 100,
    alpha: float = 0.001,
    seed: int = 0,
    rows: int | Literal["auto"] | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    json: bool = False,
) -> None:
    """Tell corrupted images by the smoothed classifier: its accuracy at five severities. An average, not a proof.

    $ gsmooth evaluate --data mnist --checkpoint runs/mnist-blur --transform gaussian_blur

    Args:
        data: which inputs.
        network: which network.
        transform: what corrupts, one after the other: severity 5 is an end of its published range, and 1 a fifth of it.
            It is also what a law of a parameter draws from.
        corruptions: instead, a folder with the .npy files of CIFAR-10-C, each of which is a row.
        law: smoothing law, or noise, as for `gsmooth certify`; the one that the checkpoint was trained with if left
            out.
        votes: draws an image.
        alpha: an answer is another than the smoothed classifier's with at most this probability; else it abstains.
        seed: of all draws.
        rows: images in a device batch (speed only); auto takes the most that fit its memory.
        chunk: votes that an image makes at once (memory only).
        devices: how many local devices to use (speed only).
        json: print one JSON object and nothing else.
    """
    require_devices()
    import numpy as np
    from rich.progress import track

    from gsmooth_jax import corruptions as corrupt
    from gsmooth_jax import smoothing, transforms
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.methods import registry
    from gsmooth_jax.methods.smoothed import Smoothed
    from gsmooth_jax.regions import Box
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
    found_network = network.found(moves[0].name if moves else "")
    execution = Execution(rows=rows, chunk=chunk, devices=devices)
    chosen = data.inputs()
    classifier, examples = found_network.load(chosen.domain), list(chosen.share(0, 1))
    if any(e.label is None for e in examples):
        raise ValueError("Expected images with labels, of which to tell how many are right; got some without.")
    images, labels = np.stack([e.image for e in examples]), np.array([e.label for e in examples])
    ids = np.array([e.id for e in examples])

    def smoothed(move: Transform | None) -> Smoothed:
        name = getattr(move, "name", "")
        found = smoothing.parse(law, registry.LAWS) if law else found_network.trained_law(name)
        drawn = move if isinstance(found, Smoothing | smoothing.Product) else None
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
        print_json({"data": data.data, "split": data.split, "images": len(images), **terms, "corruptions": rows_found})
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
