"""A smoothed classifier as an estimator of the Adversarial Robustness Toolbox (Nicolae et al. 2018). Host.

Its ``predict`` and ``certify`` have the shapes of that toolbox's ``RandomizedSmoothingMixin``, with a semantic
transformation where that one has pixel noise of one law.
"""

from typing import Any

import numpy as np
from art.estimators.classification.classifier import ClassifierMixin  # pyright: ignore[reportMissingImports]
from art.estimators.estimator import BaseEstimator  # pyright: ignore[reportMissingImports]

from gsmooth_jax import api
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.smoothed import Smoothed
from gsmooth_jax.models import Classifier, as_classifier
from gsmooth_jax.types import ABSTAIN, Region, Transform


class SmoothedClassifier(ClassifierMixin, BaseEstimator):
    """Predicts with a smoothed classifier, and certifies it against a transformation.

    Images are [N, H, W, C] float32 in [0, 1] (a network that takes channels first: ``gs.models.HostModel``).

    >>> import gsmooth_jax as gs
    >>> estimator = SmoothedClassifier(gs.load("shipped:mnist_brightness_contrast"),
    ...     input_shape=(28, 28, 1), transform=gs.transforms.BrightnessContrast(), region=gs.Box([-0.5] * 2, [0.5] * 2),
    ...     law=gs.Gaussian(sigma=(0.6, 0.6)))  # doctest: +SKIP
    >>> classes, radii = estimator.certify(images, n=10_000)  # doctest: +SKIP

    Args:
      model: any callable images -> logits [B, K], see ``as_classifier``.
      input_shape: (H, W, C) of an image.
      transform: what the adversary applies.
      region: its parameters, in the transform's units.
      law: the smoothing law, or the noise; see ``gs.certify``.
      method: as for ``gs.certify``.
      alpha: each answer and each claim is false with at most this probability.
      votes: draws of a prediction, as that mixin's ``sample_size``.
      seed: of all draws.
      execution: how the machine is used; never changes an answer.

    Raises:
      ValueError: an argument that is out of range.
    """

    def __init__(
        self,
        model: Any,
        *,
        input_shape: tuple[int, int, int],
        transform: Transform,
        region: Region,
        law: registry.Law,
        method: str = "auto",
        alpha: float = 1e-3,
        votes: int = 1000,
        seed: int = 0,
        execution: Execution | None = None,
    ):
        found = as_classifier(model, input_shape)
        super().__init__(model=found, clip_values=(found.domain.low, found.domain.high))
        self.nb_classes = found.classes
        self.alpha, self.sample_size = alpha, votes
        self._smoothed = Smoothed(found, law, transform, seed=seed, execution=execution)
        self._terms: dict[str, Any] = {
            "transform": transform, "region": region, "law": law, "method": method, "seed": seed, "execution": execution
        }  # fmt: skip

    @property
    def classifier(self) -> Classifier:
        """The classifier that is smoothed."""
        return self.model

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(H, W, C)."""
        return self.classifier.input_shape

    def predict(self, x: np.ndarray, batch_size: int = 128, **kwargs: Any) -> np.ndarray:
        """[N, H, W, C] -> [N, K] float32: 1 at the smoothed classifier's answer; all 0 where it abstains.

        Args:
          x: images.
          batch_size: ignored: batches are filled as ``execution`` says.
          kwargs: ignored; attacks of that toolbox pass their own.
        """
        del batch_size, kwargs
        answers = self._smoothed.predict(_images(x), votes=self.sample_size, alpha=self.alpha)
        return (answers[:, None] == np.arange(self.nb_classes)).astype(np.float32)

    def certify(self, x: np.ndarray, n: int, batch_size: int = 32) -> tuple[np.ndarray, np.ndarray]:
        """Returns the smoothed classifier's classes, and how large a region is proved around each.

        Args:
          x: images [N, H, W, C].
          n: most votes an image: the test is sequential and takes as few as will do.
          batch_size: ignored, as in ``predict``.

        Returns:
          [N] int64, -1 where no class is established; [N] float64 sizes of proved regions similar to the
          estimator's, in the transform's units (0.0: none).
        """
        del batch_size
        claims = api.certify(self.classifier, _images(x), alpha=self.alpha, max_votes=n, **self._terms)
        classes = np.array([claim.predicted for claim in claims], np.int64)
        return classes, np.where(classes == ABSTAIN, 0.0, [claim.radius for claim in claims])

    def fit(self, x: np.ndarray, y: np.ndarray, **kwargs: Any) -> None:
        """That toolbox demands this of every estimator; this one takes a network that is trained already.

        Raises:
          NotImplementedError: always, as that toolbox's estimators do which cannot be fitted.
        """
        raise NotImplementedError(
            "SmoothedClassifier takes a network that is trained already, by `gsmooth train` or your own loop."
        )


def _images(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x, np.float32)
