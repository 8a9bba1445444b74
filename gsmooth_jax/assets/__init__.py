"""What ships with the package: 200 MNIST test images and one trained network. See README.md for origin and licence."""

from pathlib import Path

CHECKPOINT = Path(__file__).parent / "mnist_brightness_contrast"
"""A ConvNet for MNIST with a standardising input layer, for ``gsmooth certify`` without arguments."""
