"""``gsmooth spt-error``."""

from pathlib import Path
from typing import Annotated

import tyro

from gsmooth_jax.cli.console import err_console, out_console, print_json, require_devices
from gsmooth_jax.cli.given import Data
from gsmooth_jax.cli.terms import read_region


def spt_error(
    data: Annotated[Data, tyro.conf.arg(name="")],
    out: Path,
    law: str,
    error: float,
    transform: str = "rotation|clip|quantize",
    region: tuple[float, ...] | None = None,
    ball: float | None = None,
    prepare: str = "",
    attackers: int = 0,
    seed: int = 0,
    json: bool = False,
) -> None:
    """Count how often interpolation errs by more than a number, for the method spt with error='data'.

    Each image is for one outer draw: take training images, with --split train, as many as there are to be draws.

    $ gsmooth spt-error --data mnist --split train --limit 1000 --law "gaussian(sigma=30)" --error 0.3 --out error.json

    Args:
        data: which images.
        out: file to write.
        law: of the outer draws, such as "gaussian(sigma=30)".
        error: the number, an L2 distance of images in [0, 1].
        transform: what the adversary applies: rotation, shift or volume, and clip and quantize behind it.
        region: LOW HIGH of the adversary's angle; the region of the published tables if left out.
        ball: of a shift, its largest length instead.
        prepare: what the method does to an image, such as "vignette|low_pass(radius=4)".
        attackers: try so many random adversaries of each draw; 0 bounds the error of all of them.
        seed: of all draws.
        json: print one JSON object and nothing else.
    """
    require_devices()
    from rich.progress import track

    from gsmooth_jax import smoothing, transforms
    from gsmooth_jax.methods.spt import error_file
    from gsmooth_jax.smoothing import Gaussian

    adversary, found_law = transforms.parse(transform), smoothing.parse(law)
    if not isinstance(found_law, Gaussian):
        raise ValueError(f"spt takes a normal law, such as gaussian(sigma=30), got {law!r}.")
    chosen = data.inputs()
    count = None if chosen.ids is None else len(chosen.ids)
    shown = track(chosen.share(0, 1), description="drawing", total=count, console=err_console)
    found = error_file.measure(
        shown,
        transform=adversary,
        region=read_region(adversary, lambda: chosen.shape, box=region, l1=None, l2=ball, linf=None),
        law=found_law,
        prepare=prepare,
        data=data.data,
        limit=error,
        attackers=attackers,
        seed=seed,
    )
    found.write(out)
    if json:
        print_json({"file": str(out), "error": error, "exceeded": found.exceeded, "draws": found.draws})
        return
    share = found.exceeded / found.draws
    out_console.print(f"{found.exceeded} of {found.draws} draws err by more than {error:g} ({share:.2%}): {out}")
