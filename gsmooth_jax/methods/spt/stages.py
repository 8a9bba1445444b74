"""What the method sees of an adversary and of its own filter: what moves, what rounds, what is filtered. Host."""

import dataclasses
import math

import jax
import jax.numpy as jnp

from gsmooth_jax import transforms
from gsmooth_jax.transforms import Clip, Composition, LowPass, Quantize, Rotation, Shift, Vignette, Volume, stages_of
from gsmooth_jax.types import Transform

_MOVING = (Rotation, Shift, Volume)


@dataclasses.dataclass(frozen=True)
class Filter:
    """P: linear maps of an image, none of which drives two images apart.

    Attributes:
      stages: in order; none: the identity.
    """

    stages: tuple[Transform, ...]

    def __call__(self, image: jax.Array) -> jax.Array:
        """[H, W, C] -> [H, W, C]. Device."""
        for stage in self.stages:
            image = stage(image, jnp.zeros(0, image.dtype))
        return image


def parse_filter(text: str) -> Filter:
    """Reads such a text as ``vignette|low_pass(radius=4)``; empty: no filter.

    Raises:
      ValueError: a stage that is no linear filter, or none at all.
    """
    stages = stages_of(transforms.parse(text)) if text else ()
    for stage in stages:
        if not isinstance(stage, Vignette | LowPass):
            raise ValueError(f"spt prepares by vignette and low_pass, which are linear filters; got {stage.name!r}.")
    return Filter(stages)


@dataclasses.dataclass(frozen=True)
class Adversary:
    """Q T: what is done to an image before it is a file that the method receives.

    Attributes:
      whole: all of it.
      moving: T, which is smoothed.
      behind: Q: what makes a file of it, clips and one rounding to levels at most.
    """

    whole: Transform
    moving: Rotation | Shift | Volume
    behind: tuple[Clip | Quantize, ...]

    @classmethod
    def of(cls, transform: Transform) -> "Adversary":
        """Takes a transform apart.

        Raises:
          ValueError: it has a group law; or is no rotation, shift or volume with a clip to the file's range and a
            rounding, if any, behind it.
        """
        moving, *rest = stages_of(transform)
        behind = tuple(s for s in rest if isinstance(s, Clip | Quantize))
        if getattr(transform, "group", "none") != "none":
            raise ValueError(f"{transform.name} composes exactly: the method resolvable smooths its parameter alone.")
        if not isinstance(moving, _MOVING) or len(behind) < len(rest):
            raise ValueError(
                "spt takes rotation, shift or volume, and clip and quantize behind it; got "
                f"{transforms.describe(transform)}."
            )
        roundings = sum(isinstance(s, Quantize) for s in behind)
        if roundings > 1:
            raise ValueError(f"spt takes one quantize, {transform.name} has {roundings}.")
        for clip in (s for s in behind if isinstance(s, Clip)):
            if not clip.low <= 0.0 <= clip.high:
                raise ValueError(f"spt takes a clip that keeps 0, which enters where content left; got {clip}.")
        return cls(transform, moving, behind)

    @property
    def jump(self) -> float:
        """How far the rounding takes an entry, at most."""
        return sum(s.jump for s in self.behind if isinstance(s, Quantize))

    @property
    def range(self) -> tuple[float, float]:
        """What the clips leave of the real numbers."""
        clips = [s for s in self.behind if isinstance(s, Clip)]
        return max([-math.inf, *(c.low for c in clips)]), min([math.inf, *(c.high for c in clips)])

    @property
    def real(self) -> Transform:
        """All of it but the rounding."""
        kept = tuple(s for s in stages_of(self.whole) if not isinstance(s, Quantize))
        return kept[0] if len(kept) == 1 else Composition(kept)
