"""Tries an attack on a stream of images, and says which claims it contradicts. No file is touched here. Host."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import jax
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.attacks.kernels import centre_kernel
from gsmooth_jax.attacks.random import Random
from gsmooth_jax.attacks.target import Attack, Space, Target
from gsmooth_jax.claims import AgainstRandom, Answer, Claim, Interval, Label, Status
from gsmooth_jax.engine import scheduler
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.engine.scheduler import Prover, Request
from gsmooth_jax.estimation import bounds, keys
from gsmooth_jax.estimation.votes import ClassVote, Draws
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.models import Model, differentiable
from gsmooth_jax.smoothing.noise import NoNoise
from gsmooth_jax.types import Example

LEVEL = 1e-6
"""The probability with which a true claim is called contradicted, at most, for each image."""

CONFIRM = 1024
"""Draws at an image's strongest candidate."""

_WAVE = 32
"""Candidates of an image tried at a time: bounds memory. The last wave is padded to it, so nothing recompiles."""

_MOST_PARAMETERS = 16
"""Longer parameter vectors (a number a pixel) are not kept in an outcome."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an attack did to one image.

    Attributes:
      id: the image's.
      label: its true class.
      target: the events that were to lose their majority: those claimed or, without a claim, those that its selection
        draws had chosen; such as one class.
      certified: whether the claim says that they never do.
      status: how rigorous the claim is.
      right: whether the target is the label; None where the label says nothing of it.
      tries: parameters that were tried, the identity among them; 0 if the image was left alone,
        because its target is neither claimed nor right.
      worst: the parameter with the fewest votes for the target; None if there is none or it is one number a pixel.
      votes: the target's votes there, while searching: of its events, for the one that has the fewest.
      counts: counts of the events in fresh draws there; the last are draws with outputs that are not finite.
      flipped: an event of the target has no majority of them (by chance, too, where there is none).
      changed_answer: that is shown to be so, at level ``LEVEL``.
      random_only: the claim speaks of parameters that are drawn at random: one that is chosen does not contradict it.
      too_often: of the parameters that a random attack has drawn, more changed the answer than such a claim leaves to
        chance; at level ``LEVEL``.
    """

    id: int
    label: Label
    target: tuple[int, ...]
    certified: bool
    status: Status
    right: bool | None
    tries: int = 0
    worst: tuple[float, ...] | None = None
    votes: int = 0
    counts: tuple[int, ...] = ()
    flipped: bool = False
    changed_answer: bool = False
    random_only: bool = False
    too_often: bool = False

    @property
    def broke_claim(self) -> bool:
        """Whether a claim stood, and is shown to be false."""
        return self.certified and (self.too_often if self.random_only else self.changed_answer)

    @property
    def robust(self) -> bool:
        """Whether the smoothed model is right and stayed so under every try."""
        return self.right is not False and self.tries > 0 and not self.flipped


def attack_stream(
    classifier: Model,
    claimed: Iterable[tuple[Example, Claim]],
    guarantee: Guarantee,
    attack: Attack,
    *,
    votes: int = 32,
    confirm: int = CONFIRM,
    execution: Execution | None = None,
    on_votes: Callable[[int], None] | None = None,
) -> Iterator[Outcome]:
    """Attacks a stream of images through the whole transform.

    Each candidate gets ``votes`` draws of the claim's own noise, around the transformed image. The one with the fewest
    for the target class is the strongest; ``confirm`` fresh draws there decide, so that having been chosen favours
    nothing. No draw is one that the claim has seen.

    Args:
      classifier: the one that the claims are about.
      claimed: images with their claims; taken only as there is room.
      guarantee: the claims' terms.
      attack: proposes the candidates. The identity is always tried too, last.
      votes: draws a candidate.
      confirm: draws at the strongest.
      execution: how the machine is used; never changes an outcome.
      on_votes: told the votes of each finished batch.

    Yields:
      One outcome an image, in the order of the stream.

    Raises:
      ValueError: before any work, an attack that does not apply, or too few draws to ever show a claim false; when its
        turn comes, an image that is none of the classifier's domain.
    """
    execution = Execution() if execution is None else execution
    _validate.kind(Execution, "a gs.Execution, or None", execution=execution)
    _validate.at_least(1, votes=votes, confirm=confirm)
    _validate.at_most(2**31 - guarantee.block, votes=votes, confirm=confirm)
    if not _contradicted(guarantee, np.array([0, confirm, 0]), (0,), confirm):
        raise ValueError(f"Expected more draws to confirm an attack: {confirm=} shows nothing at level {LEVEL:g}.")
    factors = getattr(guarantee.method, "factors", False)
    space = Space.of(guarantee.transform, guarantee.region, classifier.input_shape, factors=factors)
    attack.check(guarantee.transform, space, classifier.input_shape)
    vote = guarantee.method.vote(guarantee.transform) or ClassVote(noise=NoNoise())
    if attack.climbs and not isinstance(vote, ClassVote):
        raise ValueError(f"{attack.name} climbs the loss of a class, and the claims are of none; use grid or random.")
    if attack.climbs and not differentiable(classifier):
        raise ValueError(
            f"{attack.name} climbs by derivatives, and the model is called on the host, which gives none; "
            "use grid or random."
        )
    counter, rows = batch_counter(
        classifier, vote, seed=guarantee.seed, block=guarantee.block, execution=execution, on_votes=on_votes
    )
    placed, noise = jax.device_put((classifier, vote.noise))

    def attempts() -> Iterator[Prover[Outcome]]:
        for example, claim in claimed:
            _validate.image(example.image, image_id=example.id, domain=classifier.domain)
            target = Target(
                classifier=placed,
                noise=noise,
                transform=guarantee.transform,
                space=space,
                image=example.image,
                image_id=example.id,
                events=_events(claim),
                seed=guarantee.seed,
            )
            yield _attempt(target, claim, guarantee, attack, votes, confirm)

    # An image asks for a wave at a time: few fill the device, and the first outcome does not wait for many proposals.
    under_way = 1 + -(-2 * execution.in_flight * rows // min(attack.tries + 1, _WAVE))
    return scheduler.run(
        attempts(),
        counter,
        rows=rows,
        block=guarantee.block,
        in_flight=execution.in_flight,
        under_way=under_way,
        threads=1,
    )


def _attempt(
    target: Target, claim: Claim, guarantee: Guarantee, attack: Attack, votes: int, confirm: int
) -> Prover[Outcome]:
    """Attacks one image."""
    classes = isinstance(claim.label, int) and not isinstance(claim.statement, Interval)
    outcome = Outcome(
        id=claim.id,
        label=claim.label,
        target=target.events,
        right=target.events == (claim.label,) if classes else claim.correct,
        certified=claim.certified,
        status=claim.status,
        random_only=isinstance(claim.statement, AgainstRandom),
    )
    if not claim.certified and outcome.right is False:
        return outcome
    candidates = np.concatenate([attack.propose(target), np.zeros((1, len(target.space.low)), np.float32)])

    def draws(number: int, centre: np.ndarray, phase: int, count: int) -> Request:
        return Request(Draws(centre, claim.id, number, phase, 0, count), count)

    kept: list[int] = []
    for start in range(0, len(candidates), _WAVE):
        centres = _centres(target, candidates[start : start + _WAVE])
        counts = yield [draws(start + j, c, keys.ATTACK, votes) for j, c in enumerate(centres)]
        kept += [int(c[list(target.events)].min()) for c in counts]
    worst = int(np.argmin(kept))
    too_often = False
    if isinstance(claim.statement, AgainstRandom) and isinstance(attack, Random):
        changes = sum(2 * count < votes for count in kept[:-1])
        too_often = bool(bounds.proportion_lower(changes, len(kept) - 1, LEVEL) > claim.statement.at_most)
    (centre,) = _centres(target, candidates[worst : worst + 1])
    (fresh,) = yield [draws(worst, centre, keys.ATTACK_CONFIRM, confirm)]
    return dataclasses.replace(
        outcome,
        tries=len(candidates),
        worst=tuple(candidates[worst].tolist()) if candidates.shape[1] <= _MOST_PARAMETERS else None,
        votes=kept[worst],
        counts=tuple(int(c) for c in fresh),
        flipped=_flipped(fresh, target.events, confirm),
        changed_answer=_contradicted(guarantee, fresh, target.events, confirm),
        too_often=too_often,
    )


def _centres(target: Target, xi: np.ndarray) -> np.ndarray:
    """The smoothing centres [M, ...] at M <= _WAVE parameters."""
    padded = np.pad(xi, ((0, _WAVE - len(xi)), (0, 0)), mode="edge")
    return np.asarray(centre_kernel(target.noise, target.image, padded, transform=target.transform))[: len(xi)]


def _events(claim: Claim) -> tuple[int, ...]:
    """The events that a claim is about, or would have been."""
    if isinstance(claim.statement, Answer | AgainstRandom):
        return (claim.statement.answer,)
    events = tuple(dict.fromkeys(h.event for h in claim.hypotheses if h.event >= 0))
    return events or (int(np.argmax(claim.selection[:-1])) if claim.selection else 0,)


def _flipped(counts: np.ndarray, events: tuple[int, ...], draws: int) -> bool:
    """Whether one class no longer has the most votes, or one of several events no majority."""
    if len(events) == 1:
        return int(np.argmax(counts)) != events[0]
    return bool(2 * counts[list(events)].min() < draws)


def _contradicted(guarantee: Guarantee, counts: np.ndarray, events: tuple[int, ...], draws: int) -> bool:
    """Whether [E] counts of fresh ``draws`` show, at level ``LEVEL``, that what a claim says about an event is false.

    One-sided tests claim that its probability exceeds 1/2; the two-sided one, that it exceeds every other class's,
    which is false if it has less than half of what the two have together.
    """
    for event in events:
        n, level, others = draws, LEVEL / len(events), np.delete(counts, event)
        if guarantee.test == "fixed_two_sided":
            n, level = int(counts[event] + others.max()), level / len(others)
        if float(bounds.proportion_upper(counts[event], n, level)) < 0.5:
            return True
    return False
