"""Why inputs are not certified: one reason each, derived from its record and the run's header. Host.

What is said of places and numbers of votes is where the proof stopped, and a guess: no part of a reason is a claim.
"""

import collections
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import special

from gsmooth_jax import _spec, transforms
from gsmooth_jax.claims import AgainstRandom, Answer, Claim, Hypothesis, Interval, Window
from gsmooth_jax.estimation import bounds, sequential
from gsmooth_jax.methods.coverage import holds_identity
from gsmooth_jax.methods.pool import Pool
from gsmooth_jax.methods.registry import METHODS
from gsmooth_jax.methods.spt import Spt
from gsmooth_jax.results import headers

Kind = Literal["wrong", "abstained", "changes", "margin", "votes", "bounds"]
"""What stood in a claim's way: the smoothed model's answer is not the label; none was established; it seems to be
another one somewhere in the region; it is the same, by too small a majority; the votes did not suffice; or nothing
could be proved, whatever the votes."""

KINDS: Sequence[Kind] = ("wrong", "abstained", "changes", "margin", "votes", "bounds")

_MEANS: Mapping[Kind, str] = {
    "wrong": "the answer is another class than the label",
    "abstained": "no answer is sure at the image itself",
    "changes": "the answer seems to change in the region",
    "margin": "the answer keeps a majority, but too small a one",
    "votes": "the votes did not suffice",
    "bounds": "no number of votes would prove it",
}

_NEEDED = re.compile(r"would take (?:about )?([\d,]+) or more")
"""As the notes of ``cover`` and ``median`` say how many votes it takes at the least."""

_MOST = 2**31

_PLAIN = ("ratio", "intensity", "quality")
"""Units that say nothing beside a number."""

_CLEAR = 0.6
"""The share of votes from which on a majority, if not shown, is at least likely."""

_POOR = 0.5
"""A network that tells fewer inputs right, untransformed and without noise, is hardly shown what it was trained on."""

_LOOK = (
    "without noise and untransformed most inputs are wrong too: look at --mean, --std and --scale, at --layout, and at "
    "the order of the classes first"
)

_DOUBT = 0.01
"""Where the proof stopped is the place whose votes leave the least hope, at this level."""


class Reason(NamedTuple):
    """Why one input is not certified.

    Attributes:
      kind: see ``Kind``.
      text: in words.
      at: a parameter [P] near which the proof stopped; empty where that is nowhere in particular.
      needed: about how many votes it takes at the least; None where that is not what it lacks, or not known.
    """

    kind: Kind
    text: str
    at: tuple[float, ...] = ()
    needed: int | None = None


def why(claim: Claim, header: Mapping[str, Any]) -> Reason | None:
    """Returns the reason for which a claim does not count as certified; None where it does.

    Args:
      claim: as recorded, by whichever version.
      header: the run's.
    """
    if claim.correct is False and claim.statement is not None:
        return Reason("wrong", _wrong(claim, header))
    if claim.certified:
        return None
    if isinstance(claim.statement, AgainstRandom):
        return _of_random(claim, claim.statement, header)
    needed = _needed(claim)
    if claim.statement is None:
        beyond = _of_draws(claim, header) if _nested(header) else None
        if beyond is not None and beyond.kind == "bounds":
            return beyond
        return Reason("abstained", _abstained(claim, header), needed=needed)
    found = _stopped(claim, header)
    if needed is not None or "max_votes" in claim.note:
        more = "" if needed is None else f": it would take {needed:,} or more"
        found = Reason("votes", f"out of votes{more}", (), needed)
    if _nested(header):
        found = _of_draws(claim, header)
    if found is None and claim.note:
        found = Reason("bounds", claim.note.split("; ")[0])
    if found is None:  # of versions before 0.8, which asked the classifier at some points first
        found = Reason("changes", f"{_leaves(claim)} at a point that this record does not hold")
    size = headers.region_of(header).size
    reached = f"; proved to {rounded_down(claim.radius)} of {size:g}" if claim.radius > 0.0 else ""
    return found._replace(text=found.text + reached)


def _of_random(claim: Claim, said: AgainstRandom, header: Mapping[str, Any]) -> Reason:
    """Why a random parameter is not shown to change the answer as rarely as was asked."""
    asked = _spec.parse(header["method"], "method")[1].get("at_most", 0.0)
    short = f"a random one does with a probability of {said.at_most:.2g} at most, and {asked:g} is asked for"
    if not claim.hypotheses:
        return Reason("margin", short)
    h = claim.hypotheses[0]
    if h.successes < h.votes:
        changes = f"{h.votes - h.successes:,} of {h.votes:,} random parameters change the answer"
        return Reason("changes", f"{changes}; {short}")
    return Reason("votes", f"out of votes: {short}", (), _enough(h, header))


def summed_up(
    claims: Sequence[Claim], found: Sequence[Reason | None], header: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Returns how many inputs share each kind of reason, what it means, and what to do; the most frequent first.

    Args:
      claims: of a run.
      found: ``why`` of each.
      header: the run's.

    Returns:
      Entries with ``kind``, ``images``, ``means`` and ``advice``; none where all claims count as certified.
    """
    plain = [claim.clean == claim.label for claim in claims if claim.clean is not None and claim.label is not None]
    poor = bool(plain) and sum(plain) < _POOR * len(plain)
    lacking = [(claim, reason) for claim, reason in zip(claims, found, strict=True) if reason is not None]
    kinds: collections.Counter[Kind] = collections.Counter(reason.kind for _, reason in lacking)
    return [
        {
            "kind": kind,
            "images": images,
            "means": _MEANS[kind],
            "advice": _LOOK if poor and kind in ("wrong", "abstained") else _advice(kind, pairs, header),
        }
        for kind, images in sorted(kinds.items(), key=lambda item: (-item[1], KINDS.index(item[0])))
        for pairs in [[pair for pair in lacking if pair[1].kind == kind]]
    ]


def _advice(kind: Kind, found: Sequence[tuple[Claim, Reason]], header: Mapping[str, Any]) -> str:
    if kind == "votes":
        needed = [reason.needed for _, reason in found if reason.needed is not None]
        if not needed:
            return "raise --max-votes"
        which = "" if len(needed) == len(found) else f", for {len(needed)} of them"
        return f"--max-votes {_round_up(max(needed))} or more may do{which}"
    if kind == "bounds":
        return "claim a smaller region; each image's reason is in `gsmooth export --format json`"
    if not header["law"]:
        return "claim a smaller region, or another classifier" if kind == "changes" else "another classifier"
    right = sum(claim.clean == claim.label for claim, _ in found if claim.clean is not None)
    train = "train under this smoothing, or take less of it"
    if kind in ("wrong", "abstained"):
        return f"without noise {right} of them {'is' if right == 1 else 'are'} right: {train}" if right else train
    if kind == "changes":
        return "train with this transform, or claim a smaller region"
    return "train longer under this smoothing, or claim a smaller region"


def _round_up(number: int) -> int:
    """To two digits."""
    step = 10 ** max(len(str(number)) - 2, 0)
    return -(-number // step) * step


def rounded_down(radius: float) -> str:
    """A radius >= 0 in at most four digits, none of which says more than is proved."""
    for digits in range(1, 5):
        shown = f"{radius:.{digits}g}"
        if float(shown) == radius:
            return shown
    step = 10.0 ** (np.floor(np.log10(radius)) - 3)
    shown = f"{np.floor(radius / step) * step:.4g}"
    return shown if float(shown) <= radius else f"{(np.floor(radius / step) - 1) * step:.4g}"


def place(at: Sequence[float], header: Mapping[str, Any]) -> str:
    """A parameter [P] in words, such as ``angle = -31 deg``."""
    pairs = zip(parameters(header, len(at)), at, strict=True)
    return ", ".join(f"{name} = {value:.3g}{unit}" for (name, unit), value in pairs)


def parameters(header: Mapping[str, Any], count: int) -> list[tuple[str, str]]:
    """Name and unit of each parameter, the latter to be put behind a number; a plug-in that is not at hand has none."""
    try:
        params = transforms.parse(header["transform"]).params
    except ValueError:
        return [("xi", "")] * count
    named = [(p.name, "" if p.unit in _PLAIN else f" {p.unit.replace('^2', '²')}") for p in params]
    return named if len(params) == count else [("xi", "")] * count


def _wrong(claim: Claim, header: Mapping[str, Any]) -> str:
    everywhere = ", in the whole region" if claim.certified else ""
    if isinstance(claim.statement, Interval):
        return f"the smoothed number lies in [{claim.statement.low:g}, {claim.statement.high:g}]{everywhere}"
    subject = "the smoothed classifier" if header["law"] else "the classifier"
    return f"{subject} answers {claim.predicted}{everywhere}"


def _abstained(claim: Claim, header: Mapping[str, Any]) -> str:
    if not header["law"]:
        return "its logits are not finite, or the answer at the image itself could not be bounded"
    if claim.selection and not any(claim.selection[:-1]):
        return "the logits of its draws are not finite"
    if _nested(header):
        return _of_draws(claim, header).text
    region = headers.region_of(header)
    own = [h for h in claim.hypotheses if h.votes and h.event >= 0 and (not h.low or holds_identity(h, region))]
    counted = [(h.event, h.successes, h.votes) for h in own]
    if own and own[0].successes > _CLEAR * own[0].votes:
        return f"{_short(own[0], (), header)}; its answer is not sure"
    if windows := [w for w in claim.windows if holds_identity(w, region)]:
        pool = _looked(windows, claim, header)
        counted += [(w.event, *_least(pool, row)[:2]) for row, w in enumerate(windows)]
    if not counted or str(header["method"]).startswith("median"):
        return "nothing could be established at the image itself"
    event, won, votes = min(counted, key=lambda c: c[1] / c[2])
    return f"no class has a clear majority: {won:,} of {votes:,} votes for {event}"


def _needed(claim: Claim) -> int | None:
    """The votes that would have done, as the prover has noted it."""
    found = _NEEDED.search(claim.note)
    return int(found[1].replace(",", "")) if found else None


def _stopped(claim: Claim, header: Mapping[str, Any]) -> Reason | None:
    """Where the votes of a claim end its proof; None where they do not."""
    if claim.windows:
        return _of_windows(claim, header)
    failed = [h for h in claim.hypotheses if h.event >= 0 and _verdict(h, header) != "certified"]
    if not failed:
        return None
    worst = min(failed, key=lambda h: _hope(h.successes, h.votes) - h.threshold)
    at = _middle(worst) if worst.low else ()
    if not header["law"]:
        return Reason("changes", f"the answer changes near {place(at, header)}", at)
    share, still = worst.successes / max(worst.votes, 1), _verdict(worst, header)
    if still == "undecided" or (header["test"] != "sequential" and share > worst.threshold):
        if share <= worst.threshold:
            return Reason("margin", _short(worst, at, header), at)
        needed = _enough(worst, header)
        return Reason("votes", "out of votes" + (f": about {needed:,} would do" if needed else ""), at, needed)
    if at and share < 0.5:
        return Reason("changes", f"{_leaves(claim)} near {place(at, header)}: {_votes(claim, worst)}", at)
    return Reason("margin", _short(worst, at, header), at)


def _short(h: Hypothesis, at: tuple[float, ...], header: Mapping[str, Any]) -> str:
    where = f" near {place(at, header)}" if at else ""
    share = h.successes / max(h.votes, 1)
    return f"{share:.1%} of {h.votes:,} votes are for {h.event}{where}, and {h.threshold:.2%} are needed"


def _nested(header: Mapping[str, Any]) -> bool:
    """Whether each hypothesis is an outer draw, of which a share has to pass."""
    return METHODS.get(_spec.head(header["method"])) is Spt


def _of_draws(claim: Claim, header: Mapping[str, Any]) -> Reason:
    method = headers.guarantee_of(header).method
    assert isinstance(method, Spt)
    counted = sum(method.counts(h, _verdict(h, header) == "certified") for h in claim.hypotheses)
    event = f"{claim.hypotheses[0].event}" if claim.hypotheses else "any class"
    draws = len(claim.hypotheses)
    lost = sum(h.votes == 0 for h in claim.hypotheses)  # none was asked for, as none would do
    if 2 * lost > draws - counted:
        return Reason("bounds", f"the errors of {lost} of {draws} outer draws are more than the inner votes can reach")
    return Reason("margin", f"{counted} of {draws} outer draws are surely for {event}")


def _of_windows(claim: Claim, header: Mapping[str, Any]) -> Reason | None:
    pool = _looked(claim.windows, claim, header)
    failed = np.flatnonzero(~pool.passed & (pool.layers > 0))
    if not len(failed):
        return None
    # What was laid out anew has failed there, not where it was given up at first.
    levels = np.array([claim.windows[row].level for row in failed])
    failed = failed[levels == levels.min()]
    hopes = [_least(pool, row)[2] for row in failed]
    row = int(failed[int(np.argmin(hopes))])
    worst = claim.windows[row]
    won, votes, _ = _least(pool, row)
    at = _middle(worst)
    counts = _votes(claim, Hypothesis((), (), 0.5, 0, 0.0, worst.event, successes=won, votes=votes))
    if won < 0.5 * votes:
        return Reason("changes", f"{_leaves(claim)} near {place(at, header)}: {counts}", at)
    return Reason("margin", f"too small a majority near {place(at, header)}: {counts}", at)


def _leaves(claim: Claim) -> str:
    interval = isinstance(claim.statement, Interval)
    return "the number seems to leave the interval" if interval else "the answer seems to change"


def _votes(claim: Claim, h: Hypothesis) -> str:
    subject = f" for {h.event}" if isinstance(claim.statement, Answer) else " inside"
    return f"{h.successes:,} of {h.votes:,} votes{subject}"


def _looked(windows: Sequence[Window], claim: Claim, header: Mapping[str, Any]) -> Pool:
    pool = Pool(windows, header["block"])
    pool.look(*pool.table(claim.ballots))
    return pool


def _least(pool: Pool, row: int) -> tuple[int, int, float]:
    """Votes for the event, all votes, and what they leave to hope, of the pair of a window that leaves the least."""
    pairs = np.flatnonzero(pool.votes[row])
    if not len(pairs):
        return 0, 1, 0.0
    hopes = [_hope(pool.won[row, j], pool.votes[row, j]) for j in pairs]
    j = pairs[int(np.argmin(hopes))]
    return int(pool.won[row, j]), int(pool.votes[row, j]), min(hopes)


def _hope(successes: int, votes: int) -> float:
    """How probable an event is at most, by its votes."""
    return float(special.betaincinv(successes + 0.5, votes - successes + 0.5, 1.0 - _DOUBT))


def _middle(part: Hypothesis | Window) -> tuple[float, ...]:
    return tuple(0.5 * (a + b) for a, b in zip(part.low, part.high, strict=True))


def _verdict(h: Hypothesis, header: Mapping[str, Any]) -> str:
    """What the votes of a hypothesis say, as ``methods.tests`` decides it."""
    if not header["law"] and not h.level:
        return "certified" if 0 < h.votes == h.successes else "rejected"
    if h.level <= 0.0 or h.threshold >= 1.0:
        return "rejected"
    if header["test"] == "sequential":
        test = sequential.SequentialTest(h.threshold, h.level, header["futility"])
        return test.decide(h.successes, h.votes)
    lower = bounds.proportion_lower(h.successes, h.votes, h.level) if h.votes else 0.0
    return "certified" if lower > h.threshold else "rejected"


def _enough(h: Hypothesis, header: Mapping[str, Any]) -> int | None:
    """About how many votes would do if their share for the event stayed as it is; None if too many to ask for."""
    share = h.successes / h.votes

    def passes(votes: int) -> bool:
        return _verdict(h._replace(successes=int(share * votes), votes=votes), header) == "certified"

    high = max(h.votes, 1)
    while not passes(high):
        high *= 2
        if high > _MOST:
            return None
    low = high // 2
    while high - low > max(high // 100, 1):
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high
