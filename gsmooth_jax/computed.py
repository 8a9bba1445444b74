"""How far float32 arithmetic takes an array from the one that real numbers would give (THEORY J13). Host."""

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Computed:
    """What is known of an array that float32 arithmetic computes, beside the one that real numbers would give. Host.

    Attributes:
      shape: of both.
      low: no entry of the latter is smaller.
      high: none is larger.
      entry: how far an entry of the former is from the latter's, at most.
      error: how far the two arrays are apart in L2, at most.
      exact: the array itself, float64, where the two are the same and known.
    """

    shape: tuple[int, ...]
    low: float
    high: float
    entry: float = 0.0
    error: float = 0.0
    exact: np.ndarray | None = None

    @classmethod
    def of(cls, array: np.ndarray) -> "Computed":
        """Of an array that is given: it is what it is."""
        exact = np.asarray(array, np.float64)
        return cls(shape=exact.shape, low=float(exact.min()), high=float(exact.max()), exact=exact)

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def largest(self) -> float:
        """Bounds the entries' absolute values."""
        return max(abs(self.low), abs(self.high))

    @property
    def norm(self) -> float:
        """Bounds the L2 norm."""
        return math.sqrt(self.size) * self.largest if self.exact is None else float(np.linalg.norm(self.exact))

    def then(self, low: float, high: float, entry: float, error: float | None = None) -> "Computed":
        """Returns what is known of another array of the shape; where no L2 error is given, as the entries' has it."""
        error = math.sqrt(self.size) * entry if error is None else error
        return Computed(shape=self.shape, low=float(low), high=float(high), entry=float(entry), error=float(error))

    def pointwise(self, low: float, high: float, *, units: float, factor: float = 1.0) -> "Computed":
        """Returns what is known where each entry has become a function of itself alone.

        Args:
          low: none of the results is smaller.
          high: none is larger.
          units: how far float32 takes a result that is computed from the exact entry, in units of 2^-24 of the largest
            result: 1 for each operation that is rounded.
          factor: how much further apart, at most, two results are than the entries.
        """
        # The hundredth is for products of roundings; what is below float32's normal numbers may become 0.
        own = 1.01 * units * 2.0**-24 * max(abs(low), abs(high)) + 2.0**-126
        entry, error = factor * self.entry + own, factor * self.error + math.sqrt(self.size) * own
        return self.then(low, high, entry, error)
