"""What a run claims, in words, and how it was made. Host."""

from pathlib import Path
from typing import Any

from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.results import headers, reasons
from gsmooth_jax.results.accuracy import certified_accuracy
from gsmooth_jax.results.page import curves
from gsmooth_jax.results.page._html import tag, text
from gsmooth_jax.results.run import Run


def claimed(run: Run, *, alone: bool) -> str:
    """What a run claims, in words."""
    images, share = len(run.claims), certified_accuracy(run.claims)
    low, high = curves.limits(share, images)
    verb = {"proved": "is proved", "conditional": "is proved, conditionally,"}.get(
        run.status, f"is claimed ({run.status})"
    )
    labelled = any(c.correct is not None for c in run.claims)
    subject = "smoothed classifier" if run.header["law"] else "classifier"
    alpha = max(c.alpha for c in run.claims)
    chance = (
        f"Each claim is false with probability {alpha:g} at most, over its own random draws."
        if alpha
        else "Nothing about it is random."
    )
    assumed = sorted({a for c in run.claims for a in c.assumes})
    words = [
        "" if alone else tag("span", text(f"{run.name}: "), class_="of"),
        "For " if alone else "for ",
        tag("strong", text(f"{round(share * images):,} of {images:,} images")),
        text(f" ({share:.1%}; 95% limits over images {low:.1%} to {high:.1%}) it {verb} that the {subject} "),
        text(f"{'gives the right answer' if labelled else 'keeps its answer'} after {_every(run)} "),
        tag("code", text(run.header["transform"])),
        text(f", {_region(run)}{_but(run)}. {chance}"),
        text(f" Assumed: {', '.join(assumed)}.") if assumed else "",
    ]
    return tag("p", *words, class_="claim")


def _every(run: Run) -> str:
    return "a random" if run.random_only else "every"


def _but(run: Run) -> str:
    """What a claim about random parameters leaves out."""
    if not run.random_only:
        return ""
    rare = getattr(headers.guarantee_of(run.header).method, "at_most", 1.0)
    return f", but for a probability of {rare:g} at most; of a parameter that somebody chooses it says nothing"


def _region(run: Run) -> str:
    """A run's region in words."""
    region = run.region
    if isinstance(region, Ball):
        return f"parameters of {region.norm_in_words()} norm {region.size:g} at most"
    assert isinstance(region, Box)
    ends = zip(reasons.parameters(run.header, len(region.low)), region.low, region.high, strict=True)
    return " and ".join(f"{name} from {a:g} to {b:g}{unit}" for (name, unit), a, b in ends)


def made(run: Run) -> str:
    """A run's header, folded."""
    header = run.header
    model, data = header["model"], header["data"]
    networks = [_network(a) for a in model.get("architectures") or ()]
    every = f", every {data['every']}th image" if data.get("every", 1) != 1 else ""
    said = {
        "data": " ".join(str(data[k]) for k in ("name", "split") if data.get(k)) + every,
        "transform": header["transform"],
        "method": header["method"],
        "law": header["law"] or "none",
        "alpha": header["alpha"],
        "test": f"{header['test']}, at most {header['max_votes']:,} votes",
        "seed": header["seed"],
        "model": ", ".join([*networks, str(model.get("dtype", "float32"))]),
        "fingerprint": model["fingerprint"],
        "device": f"{header.get('device', '?')} ({header.get('backend', '?')})",
        "versions": ", ".join(f"{k} {v}" for k, v in header["versions"].items()),
        "header": headers.digest(header),
        "to check it": f"gsmooth verify {run.folder}" if run.folder != Path() else "gsmooth verify",
    }
    pairs = "".join(tag("dt", text(k)) + tag("dd", text(v)) for k, v in said.items())
    return tag("details", tag("summary", text(run.name)), tag("dl", pairs))


def _network(described: dict[str, Any]) -> str:
    """What a header says of a network, in a few words."""
    name = str(described.get("name", described.get("callable", "?")))
    behind = described.get("denoiser")
    return name if behind is None else f"{name} behind the denoiser {_network(behind)}"
