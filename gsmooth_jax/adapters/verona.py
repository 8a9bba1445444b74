"""A verifier for VERONA (Bosman et al., JAIR 2025), which measures how far networks are robust, image by image. Host.

VERONA's releases declare Python 3.10 alone, and this library takes 3.11 and later: install VERONA beside it with
``pip install --ignore-requires-python ada-verona``.
"""

import dataclasses
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from ada_verona import Network, VerificationContext, VerificationModule  # pyright: ignore[reportMissingImports]
from ada_verona.database.verification_result import (  # pyright: ignore[reportMissingImports]
    CompleteVerificationData,
    VerificationResult,
)

from gsmooth_jax.attacks import Attack, Random, attack_stream
from gsmooth_jax.claims import Claim
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.methods.stream import certify_stream
from gsmooth_jax.models import HostModel, Model, as_model, check_model
from gsmooth_jax.models.input_format import Layout
from gsmooth_jax.types import ABSTAIN, Example, Region, Transform, param_dim


@dataclasses.dataclass(eq=False, kw_only=True)
class Verifier(VerificationModule):
    """Answers VERONA's question at epsilon: UNSAT if proved, SAT if an attack is shown to succeed, else TIMEOUT.

    The question is about the *smoothed* network and the transformation. A proof is wrong with probability alpha at
    most, a success with 1e-6; whoever asks at n values of epsilon adds up n of them. A claim that the smoothed network
    answers another class than the label is a success of the identity.

    >>> import gsmooth_jax as gs
    >>> rotations = Verifier(transform=gs.transforms.Rotation(), region=lambda degrees: gs.Box([-degrees], [degrees]),
    ...     law=gs.PixelNoise(sigma=0.25), layout="NCHW")  # doctest: +SKIP
    >>> BinarySearchEpsilonValueEstimator(epsilon_value_list=[1, 2, 5, 10],
    ...     verifier=rotations).compute_epsilon_value(context)  # doctest: +SKIP

    Attributes:
      transform: what the adversary applies.
      region: epsilon -> its parameters, in the transform's units.
      law: the smoothing law, or the noise; see ``gs.certify``.
      layout: of the network's images; with ``scale``, ``mean`` and ``std`` as in ``gs.models.HostModel``.
      scale: see there.
      mean: see there.
      std: see there.
      method: as for ``gs.certify``.
      alpha: each proof is wrong with at most this probability.
      max_votes: most draws that test one image.
      attack: tried where nothing is proved; None: nothing is.
      seed: of all draws.
      execution: how the machine is used; never changes an answer.
    """

    transform: Transform
    region: Callable[[float], Region]
    law: registry.Law
    layout: Layout
    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    method: str = "auto"
    alpha: float = 1e-3
    max_votes: int = 10_000
    attack: Attack | None = dataclasses.field(default_factory=lambda: Random(tries=40))
    seed: int = 0
    execution: Execution | None = None
    _models: dict[Any, Model] = dataclasses.field(default_factory=dict, init=False, repr=False)

    @property
    def name(self) -> str:
        """In VERONA's tables."""
        return f"gsmooth_jax [{self.transform.name}, {self.method}]"

    def verify(self, verification_context: VerificationContext, epsilon: float) -> CompleteVerificationData:
        """Returns VERONA's result at epsilon; the parameters of a success as text, in its ``counter_example``.

        Args:
          verification_context: a network, ONNX or PyTorch, and a picture of its input's shape, in [0, 1].
          epsilon: what ``region`` takes.

        Raises:
          ValueError: the network, the picture or the region is not such as ``gs.certify`` takes.
        """
        started = time.perf_counter()
        network, point = verification_context.network, verification_context.data_point
        model = self._model(network)
        example = Example(
            id=zlib.crc32(str(point.id).encode()) >> 1,
            image=self._image(point.data, model.input_shape),
            label=int(point.label),
        )
        guarantee = registry.guarantee(
            transform=self.transform,
            region=self.region(epsilon),
            method=registry.choose(self.method, self.law, self.transform),
            alpha=self.alpha,
            max_votes=self.max_votes,
            seed=self.seed,
        )
        (claim,) = certify_stream(model, [example], guarantee, self.execution)
        result, worst = self._result(model, example, claim, guarantee)
        return CompleteVerificationData(
            result=result,
            took=time.perf_counter() - started,
            counter_example=None if worst is None else str(list(worst)),
            obtained_labels=np.array([claim.predicted]),  # pyright: ignore[reportArgumentType]
        )

    def _result(
        self, model: Model, example: Example, claim: Claim, guarantee: Guarantee
    ) -> tuple[VerificationResult, tuple[float, ...] | None]:
        if claim.correct is False and claim.predicted != ABSTAIN:
            return VerificationResult.SAT, (0.0,) * param_dim(self.transform, model.input_shape)
        if claim.certified:
            return VerificationResult.UNSAT, None
        if self.attack is not None:
            (outcome,) = attack_stream(model, [(example, claim)], guarantee, self.attack, execution=self.execution)
            if outcome.changed_answer and outcome.target == (example.label,):
                return VerificationResult.SAT, outcome.worst
        return VerificationResult.TIMEOUT, None

    def _model(self, network: Network) -> Model:
        """A network as this library has it; each is loaded and checked once."""
        key = network.path or network
        if key not in self._models:
            source = HostModel(
                network.path or network.load_pytorch_model(),
                layout=self.layout,
                scale=self.scale,
                mean=self.mean,
                std=self.std,
            )
            given = tuple(int(size) for size in network.get_input_shape())[-3:]
            model = as_model(source, (given[1], given[2], given[0]) if self.layout.endswith("CHW") else given)
            check_model(model)
            self._models[key] = model
        return self._models[key]

    def _image(self, data: Any, shape: tuple[int, ...]) -> np.ndarray:
        """A picture [H, W, C] of a tensor of the network's layout, flat ones too."""
        height, width, channels = shape
        values = np.asarray(data, np.float32)
        if values.size != height * width * channels:
            raise ValueError(f"Expected a picture of {height} x {width} x {channels} numbers, got {values.shape}.")
        if self.layout.endswith("CHW"):
            return values.reshape(channels, height, width).transpose(1, 2, 0)
        return values.reshape(shape)
