"""The smoothed classifier itself, which claims are about: ``Smoothed``. Host.

Cohen et al. 2019, PREDICT: the class with the most of n votes is the answer, unless its votes and those of the second
could as well come from two classes that are equally probable (Hung and Fithian 2019). Draws are of the law that claims
are about, cast by the kernels that certify; no claim counts one of them.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.engine import scheduler
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.engine.scheduler import Prover, Request
from gsmooth_jax.estimation import bounds, keys
from gsmooth_jax.estimation.votes import ClassVote, Draws
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.arguments import check_noise
from gsmooth_jax.methods.base import check_classes
from gsmooth_jax.methods.cover.kernels import latent_kernel
from gsmooth_jax.methods.stream import check_example
from gsmooth_jax.models import as_model
from gsmooth_jax.surrogate import SurrogateNoise, loaded
from gsmooth_jax.transforms import check_domain
from gsmooth_jax.types import ABSTAIN, Domain, Example, LatentNoise, Transform, param_dim

_BLOCK = 64
"""Votes of a batch's row."""


@dataclasses.dataclass(frozen=True, eq=False)
class Smoothed:
    """A classifier under random noise: what ``certify`` proves its claims about.

    >>> import gsmooth_jax as gs
    >>> smoothed = gs.Smoothed(gs.load("shipped:mnist_brightness_contrast"), gs.Gaussian(sigma=(0.6, 0.6)),
    ...     transform=gs.transforms.BrightnessContrast())  # doctest: +SKIP
    >>> smoothed.predict(images)  # doctest: +SKIP

    Attributes:
      model: any callable images [B, H, W, C] float32 -> logits [B, K], see ``as_classifier``.
      law: the smoothing law of the transform's parameter; or the noise of the pixels, or of a surrogate's latent.
      transform: what the law draws from. With noise, what claims are about: its ``clip`` and ``quantize`` are done to
        an image before the noise is added, with all parameters 0; None: nothing is.
      domain: shape and range of an input; unless given the model's own, or the images' shape and [0, 1].
      seed: of all draws.
      execution: how the machine is used; never changes an answer.
    """

    model: Any
    law: registry.Law
    transform: Transform | None = None
    domain: Domain | None = None
    seed: int = 0
    execution: Execution | None = None

    def __post_init__(self):
        _validate.word(seed=self.seed)
        if self.execution is not None:
            _validate.kind(Execution, "a gs.Execution, or None", execution=self.execution)
        if self._noise is None and self.transform is None:
            raise ValueError(f"Expected a transform, of which the law draws the parameter, got law={self.law!r} alone.")
        if self.transform is None:
            check_noise(law=self.law)
        else:
            registry.choose("auto", self.law, self.transform)

    def predict(
        self,
        images: np.ndarray | jax.Array,
        *,
        votes: int = 1000,
        alpha: float = 1e-3,
        ids: Sequence[int] | np.ndarray | None = None,
    ) -> np.ndarray:
        """Returns the smoothed classifier's answers, or that it has none.

        An answer differs from the class that is most probable under the noise with probability alpha at most, for each
        image. Draws whose logits are not finite are taken together for one class more, which is no answer.

        Args:
          images: [N, H, W, C] float32 in [0, 1]; or N inputs of another ``domain``.
          votes: draws an image.
          alpha: see above.
          ids: [N] image ids >= 0, part of every draw's key; 0, 1, ... unless given.

        Returns:
          [N] int64, classes; ``ABSTAIN`` where the votes do not tell two apart.

        Raises:
          ValueError: votes or alpha out of range, ids that do not fit, no classifier of such images, or one of them is
            of another dtype or range.
        """
        _validate.at_least(1, votes=votes)
        _validate.at_most(2**31 - _BLOCK, votes=votes)
        _validate.probability(alpha=alpha)
        inputs = _validate.array("[N, H, W, C]", images=images)
        numbers = np.arange(len(inputs)) if ids is None else _validate.array("[N]", ids=ids)
        if numbers.shape != inputs.shape[:1] or not np.issubdtype(numbers.dtype, np.integer):
            raise ValueError(f"Expected {len(inputs)} integer ids, one an image, got ids={ids!r}.")
        if not len(inputs):
            return np.zeros(0, np.int64)
        model = as_model(self.model, self.domain or inputs.shape[1:])
        check_classes("Smoothed", model)
        if self.transform is not None:
            check_domain(self.transform, model.domain)
        examples = [Example(id=int(i), image=x) for i, x in zip(numbers, inputs, strict=True)]
        for example in examples:
            check_example(example, model)
        block = min(_BLOCK, votes)
        counter, rows = batch_counter(model, self._vote, seed=self.seed, block=block, execution=self.execution)
        counts = scheduler.run((self._counted(e, votes) for e in examples), counter, rows=rows, block=block)
        return np.array([_answer(each, alpha) for each in counts], np.int64)

    @property
    def _noise(self) -> LatentNoise | None:
        """Around a latent; None where the law is of the transform's parameter."""
        if not isinstance(self.law, SurrogateNoise | LatentNoise):
            return None
        return loaded(self.law)

    @property
    def _vote(self) -> Any:
        if self.transform is None:
            return ClassVote(noise=self._noise)  # pyright: ignore[reportArgumentType]
        return registry.choose("auto", self.law, self.transform).vote(self.transform)

    def _counted(self, example: Example, votes: int) -> Prover[np.ndarray]:
        """Votes [K + 1] around the smoothing centre of an image itself."""
        draws = Draws(self._centre(example.image), example.id, 0, keys.PREDICT, 0, votes)
        (counts,) = yield [Request(draws, votes)]
        return counts

    def _centre(self, image: np.ndarray) -> np.ndarray:
        if self._noise is None:
            return image
        if self.transform is None:
            return np.asarray(self._noise.encode(image[None])[0])
        identity = np.zeros((1, param_dim(self.transform, image.shape)), np.float32)
        stages = {"transform": self.transform, "ties": None, "rounding": None, "fixed": ()}
        return np.asarray(latent_kernel(self._noise, image, identity, 0.0, **stages)[0][0])


def _answer(counts: np.ndarray, alpha: float) -> int:
    """The class with the most of [K + 1] counts, if a two-sided binomial test at level alpha sets it off the second."""
    second, top = np.argsort(counts, kind="stable")[-2:]
    both = int(counts[top] + counts[second])
    if top == len(counts) - 1 or float(bounds.proportion_lower(counts[top], both, alpha / 2.0)) <= 0.5:
        return ABSTAIN
    return int(top)
