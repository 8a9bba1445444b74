"""One law for each stage of a composition."""

import dataclasses
from typing import ClassVar

from gsmooth_jax import pytrees
from gsmooth_jax.transforms import stages_of
from gsmooth_jax.types import Smoothing, Transform


@pytrees.register
@dataclasses.dataclass(frozen=True)
class Product:
    """The product of independent laws: each draws the parameters of one stage of a composition.

    Text: the laws in the order of the stages, joined by ``|``. A stage without parameters has no law. Traced: another
    scale never recompiles. A draw is made stage by stage (``noise.draw_stages``); what a draw proves depends on how the
    stages go together, and so is said by the certificate ``composition`` and not by a radius of its own.

    Attributes:
      laws: one for each stage that has parameters, the first one first.
    """

    laws: tuple[Smoothing, ...]

    name: ClassVar[str] = "product"

    def __post_init__(self):
        if isinstance(self.laws, list | tuple):  # JAX rebuilds it with placeholders, too
            if not self.laws or any(isinstance(law, Product) for law in self.laws):
                raise ValueError(f"Expected one law or more, none of them a product, got laws={self.laws!r}.")
            object.__setattr__(self, "laws", tuple(self.laws))

    def over(self, transform: Transform) -> list[tuple[Transform, Smoothing]]:
        """Returns each stage of a transform that has parameters, with its law.

        Raises:
          ValueError: another number of laws than stages, or a law of a factor for what is no logarithm of one.
        """
        stages = [stage for stage in stages_of(transform) if stage.params]
        if len(stages) != len(self.laws):
            names = ", ".join(law.name for law in self.laws)
            raise ValueError(
                f"Expected a law for each of the {len(stages)} stages of {transform.name} that have parameters, got "
                f"{len(self.laws)}: {names}."
            )
        pairs = list(zip(stages, self.laws, strict=True))
        for stage, law in pairs:
            if law.acts == "multiplicative" and not all(p.log for p in stage.params):
                raise ValueError(
                    f"{law.name} draws a factor, and is for parameters that are the logarithm of one; those of "
                    f"{stage.name} are {', '.join(p.name + (' (log)' if p.log else '') for p in stage.params)}."
                )
        return pairs
