"""Tries an attack on a stream of images, and says which claims it contradicts. No file is touched here. Host."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import jax
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.attacks.kernels import centre_kernel
from gsmooth_jax.attacks.target import Attack, Space, Target
from gsmooth_jax.certify import Execution, Guarantee, batch_counter, scheduler
from gsmooth_jax.certify.scheduler import Draws, Prover
from gsmooth_jax.claims import Claim
from gsmooth_jax.estimation import bounds, keys
from gsmooth_jax.models import Classifier
from gsmooth_jax.types import ABSTAIN, Example

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
      target: the class that the smoothed classifier was to give up: the claimed one or, without one, the one that the
        claim's selection draws had chosen.
      certified: whether the claim says that it never does.
      status: how rigorous the claim is: ``proved``, ``statistical`` or ``heuristic``.
      tries: parameters that were tried, the identity among them; 0 if the image was left alone, because its target is
        neither claimed nor right.
      worst: the parameter with the fewest votes for the target; None if there is none or it is one number a pixel.
      votes: the target's votes there, while searching.
      counts: K + 1 counts of fresh draws there; the last are draws with non-finite logits.
      flipped: another class has the most of them (by chance, too, where two classes are even).
      landed: what was claimed is shown to be false there, at level ``LEVEL``.
    """

    id: int
    label: int
    target: int
    certified: bool
    status: str
    tries: int = 0
    worst: tuple[float, ...] | None = None
    votes: int = 0
    counts: tuple[int, ...] = ()
    flipped: bool = False
    landed: bool = False

    @property
    def robust(self) -> bool:
        """Whether the smoothed classifier is right and stayed so under every try."""
        return self.target == self.label and self.tries > 0 and not self.flipped


def attack_stream(
    classifier: Classifier,
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
      claimed: images [H, W, C] with their claims; taken only as there is room.
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
        turn comes, an image of another shape or dtype.
    """
    _validate.at_least(1, votes=votes, confirm=confirm)
    if not _contradicted(guarantee, np.eye(1, classifier.classes + 1, 1, dtype=int)[0] * confirm, 0):
        raise ValueError(f"Expected more draws to confirm an attack: {confirm=} shows nothing at level {LEVEL:g}.")
    space = Space.of(guarantee.transform, guarantee.region, classifier.input_shape)
    attack.check(guarantee.transform, space, classifier.input_shape)
    execution = execution or Execution()
    counter, rows = batch_counter(classifier, guarantee, execution, on_votes)
    noise = guarantee.method.voting_noise(guarantee.transform)
    placed, noise = jax.device_put((classifier, noise))

    def attempts() -> Iterator[Prover[Outcome]]:
        for example, claim in claimed:
            _validate.image(example.image, image_id=example.id, shape=classifier.input_shape)
            target = Target(
                classifier=placed,
                noise=noise,
                transform=guarantee.transform,
                space=space,
                image=example.image,
                image_id=example.id,
                top=int(np.argmax(claim.selection[:-1])) if claim.predicted == ABSTAIN else claim.predicted,
                seed=guarantee.seed,
            )
            yield _attempt(target, claim, guarantee, attack, votes, confirm)

    # An image asks for a wave at a time: few fill the device, and the first outcome does not wait for many proposals.
    under_way = 1 + -(-2 * execution.depth * rows // min(attack.tries + 1, _WAVE))
    return scheduler.run(
        attempts(), counter, rows=rows, block=guarantee.block, depth=execution.depth, under_way=under_way, aside=True
    )


def _attempt(
    target: Target, claim: Claim, guarantee: Guarantee, attack: Attack, votes: int, confirm: int
) -> Prover[Outcome]:
    """Attacks one image."""
    outcome = Outcome(id=claim.id, label=claim.label, target=target.top, certified=claim.certified, status=claim.status)
    if not claim.certified and target.top != claim.label:
        return outcome
    candidates = np.concatenate([attack.propose(target), np.zeros((1, len(target.space.low)), np.float32)])

    def draws(number: int, centre: np.ndarray, phase: int, count: int) -> Draws:
        return Draws(centre, claim.id, number, phase, 0, count, count)

    kept: list[int] = []
    for start in range(0, len(candidates), _WAVE):
        centres = _centres(target, candidates[start : start + _WAVE])
        counts = yield [draws(start + j, c, keys.ATTACK, votes) for j, c in enumerate(centres)]
        kept += [int(c[target.top]) for c in counts]
    worst = int(np.argmin(kept))
    (centre,) = _centres(target, candidates[worst : worst + 1])
    (fresh,) = yield [draws(worst, centre, keys.ATTACK_CONFIRM, confirm)]
    return dataclasses.replace(
        outcome,
        tries=len(candidates),
        worst=tuple(candidates[worst].tolist()) if candidates.shape[1] <= _MOST_PARAMETERS else None,
        votes=kept[worst],
        counts=tuple(int(c) for c in fresh),
        flipped=int(np.argmax(fresh)) != target.top,
        landed=_contradicted(guarantee, fresh, target.top),
    )


def _centres(target: Target, xi: np.ndarray) -> np.ndarray:
    """The smoothing centres [M, ...] at M <= _WAVE parameters."""
    padded = np.pad(xi, ((0, _WAVE - len(xi)), (0, 0)), mode="edge")
    return np.asarray(centre_kernel(target.noise, target.image, padded, transform=target.transform))[: len(xi)]


def _contradicted(guarantee: Guarantee, counts: np.ndarray, top: int) -> bool:
    """Whether K + 1 fresh counts show, at level ``LEVEL``, that what a claim says about a class is false.

    One-sided tests claim that its probability exceeds 1/2; the two-sided one, that it exceeds every other class's,
    which is false if it has less than half of what the two have together.
    """
    n, others = int(counts.sum()), np.delete(counts, top)
    if guarantee.test == "fixed_two_sided":
        n, level = int(counts[top] + others.max()), LEVEL / len(others)
    else:
        level = LEVEL
    return float(bounds.proportion_upper(counts[top], n, level)) < 0.5
