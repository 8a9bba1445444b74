"""Curves of certified accuracy against the size of the region, as inline SVG. Host."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from gsmooth_jax.estimation import bounds
from gsmooth_jax.regions import Box
from gsmooth_jax.results import reasons
from gsmooth_jax.results.accuracy import accuracy_curve, certified_accuracy
from gsmooth_jax.results.page._html import tag, text
from gsmooth_jax.results.run import Run

LEVEL = 0.95
"""Of the confidence limits over images: what share of an endless supply of such images would be certified."""

_WIDTH, _HEIGHT = 640.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 14.0, 12.0, 52.0


def limits(share: float, images: int) -> tuple[float, float]:
    """Returns the Clopper-Pearson limits of a share of some images, at ``LEVEL``, two-sided."""
    count, beyond = round(share * images), 0.5 * (1.0 - LEVEL)
    return (
        float(bounds.proportion_lower(count, images, beyond)),
        float(bounds.proportion_upper(count, images, beyond)),
    )


def panels(runs: Sequence[Run]) -> str:
    """Returns one figure for each transform and label of claims: sizes of other transforms are in other units."""
    shown = list(dict.fromkeys((run.header["transform"], run.kind) for run in runs))
    return "".join(
        _panel([(number, run) for number, run in enumerate(runs) if (run.header["transform"], run.kind) == each])
        for each in shown
    )


def _panel(numbered: Sequence[tuple[int, Run]]) -> str:
    runs = [run for _, run in numbered]
    largest = max(run.region.size for run in runs)
    edge = largest * (1.25 if any(c.radius > largest for run in runs for c in run.claims) else 1.0)

    def x(size: float) -> str:
        return f"{_LEFT + (_WIDTH - _LEFT - _RIGHT) * size / edge:.1f}"

    def y(share: float) -> str:
        return f"{_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1.0 - share):.1f}"

    marks = [
        tag("path", d=f"M{_LEFT:g} {y(share)}H{_WIDTH - _RIGHT:g}", class_="grid")
        + tag("text", f"{share:.0%}", x=_LEFT - 8, y=y(share - 0.014), class_="end")
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    marks += [
        tag("path", d=f"M{x(size)} {_HEIGHT - _BOTTOM:g}v5", class_="grid")
        + tag("text", f"{size:g}", x=x(size), y=_HEIGHT - _BOTTOM + 21, class_="middle")
        for size in ticks(edge)
    ]
    region = runs[0].region
    named = reasons.parameters(runs[0].header, len(region.low) if isinstance(region, Box) else 1)
    units = ", ".join(dict.fromkeys(unit.strip() for _, unit in named if unit))
    axis = text(f"size of the region{f' ({units})' if units else ''}")
    marks.append(tag("text", axis, x=0.5 * (_LEFT + _WIDTH - _RIGHT), y=_HEIGHT - 5, class_="middle"))
    lines, names = [], []
    for number, run in numbered:
        sizes, shares = accuracy_curve(run.claims)
        inside = sizes <= edge
        beyond = shares[~inside][:1].tolist() or [0.0]
        steps = list(zip(sizes[inside].tolist(), shares[inside].tolist(), strict=True))
        if steps[-1][0] < edge:
            steps.append((edge, beyond[0]))
        between = [limits(share, len(run.claims)) for _, share in steps]
        lower, upper = ([(size, pair[end]) for (size, _), pair in zip(steps, between, strict=True)] for end in (0, 1))
        # A curve holds at its sizes: it falls behind each of them.
        band = _steps(upper, x, y) + "L" + _steps(lower, x, y, back=True)[1:] + "Z"
        colour = f"run r{number % COLOURS}"
        if not run.random_only:  # what is rare in the region may not be in a part of it
            lines.append(tag("path", d=band, class_=f"band {colour}" if len(runs) == 1 else f"band thin {colour}"))
            dashed = None if run.status == "proved" else "6 4"
            lines.append(tag("path", d=_steps(steps, x, y), class_=f"curve {colour}", stroke_dasharray=dashed))
        own = certified_accuracy(run.claims)
        lines.append(tag("circle", cx=x(run.region.size), cy=y(own), r=4, class_=f"dot {colour}"))
        names.append(
            tag("li", tag("span", class_=f"key {colour}"), f"{text(run.name)}: {own:.1%} at {run.region.size:g}")
        )
    transform, status = runs[0].header["transform"], runs[0].status
    heading = f"{'Proved' if status == 'proved' else f'Certified ({status})'} for every transformation up to this size"
    if runs[0].random_only:
        heading = f"Certified for parameters drawn at random from the region ({status}), and for no chosen one"
    label = f"Share of images {heading.lower()}, {transform}"
    size = f"0 0 {_WIDTH:g} {_HEIGHT:g}"
    return tag(
        "figure",
        tag("figcaption", tag("strong", text(heading)), " ", tag("code", text(transform))),
        tag("svg", *marks, *lines, viewBox=size, role="img", aria_label=label, class_="chart"),
        tag("ul", *names, class_="legend"),
    )


COLOURS = 6
"""Runs of more have the same again."""


def _steps(
    points: Sequence[tuple[float, float]], x: Callable[[float], str], y: Callable[[float], str], *, back: bool = False
) -> str:
    """A path through [(size, share)] that falls at once behind each size."""
    corners = [(points[0][0], points[0][1])]
    for (size, share), (_, before) in zip(points[1:], points[:-1], strict=True):
        corners += [(corners[-1][0], share)] if share != before else []
        corners.append((size, share))
    corners = corners[::-1] if back else corners
    return "M" + "L".join(f"{x(size)} {y(share)}" for size, share in corners)


def ticks(edge: float) -> list[float]:
    """Returns four to ten round numbers from 0 to ``edge`` > 0."""
    step = 10.0 ** math.floor(math.log10(edge / 4.0))
    step *= next(times for times in (5.0, 2.0, 1.0) if edge / (times * step) >= 4.0)
    return [float(f"{number * step:.6g}") for number in np.arange(int(edge / step * (1.0 + 1e-9)) + 1)]
