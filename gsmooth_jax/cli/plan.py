"""``gsmooth plan``."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from gsmooth_jax.cli.console import err_console, out_console, print_json, require_devices
from gsmooth_jax.cli.given import Data, Network
from gsmooth_jax.cli.terms import Terms

if TYPE_CHECKING:
    from gsmooth_jax.results.planning import Trial


def plan(
    terms: Annotated[Terms, tyro.conf.arg(name="")],
    data: Annotated[Data, tyro.conf.arg(name="")],
    network: Annotated[Network, tyro.conf.arg(name="")],
    images: int = 10,
    sweep: bool = False,
    rows: int | Literal["auto"] | None = None,
    devices: int | None = None,
    json: bool = False,
) -> None:
    """Say what `gsmooth certify` is going to take and reach with these options, from a few images; keep nothing.

    $ gsmooth plan --data mnist --every 20 --checkpoint runs/mnist-blur --transform gaussian_blur --region 0 36
    $ gsmooth plan --transform brightness_contrast --sweep

    Args:
        terms: which claim.
        data: which inputs the run is to have.
        network: which network.
        images: certify so many, spread over the run's.
        sweep: do so with half to twice the noise too, and say which of these certifies most.
        rows: images in a device batch (speed only); auto takes the most that fit its memory.
        devices: how many local devices to use.
        json: print one JSON object and nothing else.
    """
    require_devices()
    from gsmooth_jax import _validate
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.results import headers, planning, reasons

    _validate.at_least(1, images=images)
    named, given = network.found(terms.adversary.name), functools.cache(data.inputs)
    guarantee = terms.guarantee(named, lambda: given().shape)
    total = given().part["images"]
    apart = max(total // images, 1)
    few = dataclasses.replace(data, every=data.every * apart, limit=min(images, total)).inputs()
    classifier = named.load(few.domain)
    examples, execution = list(few.share(0, 1)), Execution(rows=rows, devices=devices)
    err_console.print(guarantee.method.requirement(guarantee, examples[0]), soft_wrap=True)
    asked = planning.tried(classifier, examples, guarantee, execution)
    trials = [asked]
    if sweep:
        others = [factor for factor in planning.FACTORS if factor != 1.0]
        how = {"method": terms.method, "factors": others, "execution": execution}
        trials += planning.sweep(classifier, examples, guarantee, **how)
    header = headers.make(guarantee, model=headers.model_of(classifier), data=few.part)
    summed = reasons.summed_up(asked.claims, [reasons.why(c, header) for c in asked.claims], header)
    whole = {"images": total, "votes": round(total * asked.votes), "seconds": total * asked.seconds}
    best = planning.best(trials)
    if json:
        listed = [{k: v for k, v in vars(t).items() if k != "claims"} for t in trials]
        found = {"tried": len(examples), "trials": listed, "not_certified": summed, "run": whole}
        print_json(found | {"memory_bytes": planning.peak_bytes(), "suggested_law": best.law})
        return
    out_console.print(_table(trials, len(examples)), crop=False)
    duration, memory = _duration(whole["seconds"]), planning.peak_bytes() / 2**30
    takes = f"about {whole['votes']:,} votes, up to {duration}, {memory:.1f} GiB"
    out_console.print(f"The run's {total:,} images: {takes}.", soft_wrap=True)
    for line in _lacking(summed):
        out_console.print(line, soft_wrap=True)
    if sweep:
        out_console.print(f"{_suggested(best, asked)}: {best.certified:.1%} of these images.", soft_wrap=True)


def _lacking(summed: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{e['images']} not certified ({e['kind']}): {e['means']}; {e['advice']}." for e in summed]


def _suggested(best: "Trial", asked: "Trial") -> str:
    if best is asked:
        return "The noise asked for certifies most"
    more = "More is" if best.certified > asked.certified else "As much is"
    cheaper = "" if best.certified > asked.certified else ", further or with fewer votes,"
    return f'{more} certified{cheaper} with --law "{best.law}"'


def _table(trials: "Sequence[Trial]", images: int) -> Any:
    from gsmooth_jax.results.tables import Figures, percent

    columns = ("law", "clean", "smoothed", "certified", "reached", "votes/image", "s/image")
    rows = [
        (t.law or "none", "-", "-", "-", "-", "-", "-")
        if t.refused
        else (
            t.law or "none",
            percent(t.clean),
            percent(t.smoothed),
            f"{t.certified:.1%}",
            f"{t.reached:.1%}",
            f"{t.votes:,.0f}",
            f"{t.seconds:.3g}",
        )
        for t in trials
    ]
    return Figures(f"{images} images tried; reached: half of them, of the region", columns, rows)


def _duration(seconds: float) -> str:
    """About how long, in words."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
