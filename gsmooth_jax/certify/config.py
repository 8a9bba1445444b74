"""What is claimed (``Guarantee``) and how the machine is used (``Execution``). Only the first can change a result."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import ClassVar, Literal, Protocol

from gsmooth_jax import _validate
from gsmooth_jax.certify.scheduler import Prover
from gsmooth_jax.claims import Claim, Ledger
from gsmooth_jax.types import Example, Noise, Region, Transform

Test = Literal["sequential", "fixed", "fixed_two_sided"]


class Method(Protocol):
    """How claims are proved: what a vote is, how many are needed where, and what follows from them."""

    geometric: ClassVar[bool]
    """Whether proving asks the device for more than votes."""

    @property
    def name(self) -> str:
        """The name for ``--method``."""
        ...

    @property
    def law(self) -> str:
        """The smoothing noise, as text that rebuilds it."""
        ...

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless the method applies to this transform and region."""
        ...

    def voting_noise(self, transform: Transform) -> Noise:
        """Returns what one vote does to its centre."""
        ...

    def requirement(self, guarantee: "Guarantee") -> str:
        """Says what a claim takes. Raises ValueError when the budget can never certify the region."""
        ...

    def proving(self, guarantee: "Guarantee") -> Callable[[Example], Prover[Claim]]:
        """Returns what proves one image; raises as ``requirement`` does."""
        ...

    def ledger(self, guarantee: "Guarantee") -> Ledger:
        """Says how alpha is divided among the tests of one image."""
        ...

    def checking(self, guarantee: "Guarantee") -> Callable[[Claim], Iterator[str]]:
        """Returns what recomputes a claim from its evidence, on the host alone, and yields what does not follow."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Guarantee:
    """Everything besides the classifier and the image that a claim depends on.

    Attributes:
      transform: what the adversary applies.
      region: the adversary's parameters, in the transform's units.
      method: how it is proved, the smoothing noise included.
      alpha: a claim is false with at most this probability over the draws.
      test: ``sequential`` stops as soon as the anytime-valid test is sure; ``fixed`` spends ``max_votes`` on every
        image and looks once (Clopper-Pearson); ``fixed_two_sided`` also bounds every other class from above.
      selection_votes: draws that choose the class, never reused.
      max_votes: most draws that one image's test may count.
      block: votes between two looks of the sequential test.
      futility: probability with which an image whose p_A lies at or above the needed value may be given up early.
        Giving up can cost a certificate and can never create a false one.
      seed: of all draws.
    """

    transform: Transform
    region: Region
    method: Method
    alpha: float = 1e-3
    test: Test = "sequential"
    selection_votes: int = 32
    max_votes: int = 10_000
    block: int = 32
    futility: float = 0.01
    seed: int = 0

    def __post_init__(self):
        _validate.instance(transform=self.transform, region=self.region, method=self.method)
        _validate.probability(alpha=self.alpha, futility=self.futility)
        _validate.at_least(1, selection_votes=self.selection_votes, max_votes=self.max_votes, block=self.block)
        _validate.word(seed=self.seed)
        _validate.known(dict.fromkeys(("sequential", "fixed", "fixed_two_sided")), test=self.test)
        self.method.check(self.transform, self.region)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Execution:
    """How the machine is used. No field changes a claim; a test says so.

    Attributes:
      rows: rows of a device batch, a multiple of the devices; each asks for ``Guarantee.block`` votes of one image.
        None: 8 a device on CPU, 64 elsewhere. ``auto``: the most that fit the device's memory; on CPU as None.
      chunk: votes a row makes at once; divides ``Guarantee.block``. None: all of them.
      depth: batches under way at once, so that the device never waits for the host.
      devices: how many local devices to use. None: all.
    """

    rows: int | Literal["auto"] | None = None
    chunk: int | None = None
    depth: int = 2
    devices: int | None = None

    def __post_init__(self):
        given = {k: v for k, v in dataclasses.asdict(self).items() if v not in (None, "auto")}
        _validate.at_least(1, **given)
