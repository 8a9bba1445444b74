"""What the transforms of colours share: which images have any."""

import jax


def is_grey(image: jax.Array) -> bool:
    """Returns whether an image [H, W, C] has one channel, and so no colour; three are red, green, blue.

    Raises:
      ValueError: any other number of channels.
    """
    if image.shape[-1] not in (1, 3):
        raise ValueError(f"Expected an image of 3 channels (red, green, blue), or of 1 (grey), got {image.shape=}.")
    return image.shape[-1] == 1
