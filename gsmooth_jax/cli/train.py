"""What has to be learned first: ``gsmooth train``, ``gsmooth fit-surrogate`` and ``gsmooth fit-denoiser``."""

from typing import Annotated

import tyro

from gsmooth_jax.cli.console import require_devices
from gsmooth_jax.training import TrainConfig
from gsmooth_jax.training.denoiser_config import DenoiserConfig
from gsmooth_jax.training.surrogate_config import FitConfig


def train(config: Annotated[TrainConfig, tyro.conf.arg(name="")], data_dir: str | None = None) -> None:
    """Train a classifier under the smoothing that it will be certified with. Resumes where it stopped.

    $ gsmooth train --data mnist --transform gaussian_blur --law "uniform(low=0.0, high=54.0)" --out runs/mnist-blur
    $ gsmooth train --arch convnet_bn --transform rotation --law "uniform(low=-53, high=53)" --noise 0.25 --out runs/rot
    $ gsmooth train --data folder:words --arch audio_net --transform volume --law "uniform(low=-3, high=3)" --noise 0.05
    --out runs/words

    Args:
        config: the run.
        data_dir: where data sets are prepared; the TFDS default if left out.
    """
    require_devices()
    from gsmooth_jax import models
    from gsmooth_jax.data import load_split, sample_rate
    from gsmooth_jax.training import loop

    architecture = models.Architecture.parse(config.arch, classes=2, normalize=models.Normalize())
    models.check_sample_rate(architecture, sample_rate(config.data))
    test = () if config.validation else load_split(config.data, "test", data_dir)
    loop.train(config, *load_split(config.data, "train", data_dir), *test)


def fit_surrogate(config: Annotated[FitConfig, tyro.conf.arg(name="")], data_dir: str | None = None) -> None:
    """Fit a network that stands in for a transform, for surrogate_noise. Resumes where it stopped.

    Writes the errors on test images to fit.json, and surrogate.png: image, real transform, surrogate, difference. With
    sigma and sigma-parameter also noise.png: image, pixel noise, augmented noise.

    $ gsmooth fit-surrogate --transform rotational_blur --region -12 12 --sigma-parameter 2 --sigma 0.4 --out runs/unet

    Args:
        config: the fit.
        data_dir: where data sets are prepared; the TFDS default if left out.
    """
    require_devices()
    from gsmooth_jax.data import load_split
    from gsmooth_jax.training.surrogate_fit import fit

    (images, _), (test_images, _) = (load_split(config.data, split, data_dir) for split in ("train", "test"))
    fit(config, images, test_images)


def fit_denoiser(config: Annotated[DenoiserConfig, tyro.conf.arg(name="")], data_dir: str | None = None) -> None:
    """Fit a network that takes noise away, so that a classifier that has not seen any can be certified behind it.

    Resumes where it stopped. Says after every epoch how near the denoised test images are, and of --classifier how many
    answers are kept under noise, behind the denoiser and without it. Then: gsmooth certify --denoiser OUT.

    $ gsmooth fit-denoiser --data cifar10 --noise 0.12 --out runs/denoiser
    $ gsmooth fit-denoiser --data cifar10 --noise 0.12 --objective stability --classifier nets.py:net
    --start runs/denoiser --out runs/stable

    Args:
        config: the fit.
        data_dir: where data sets are prepared; the TFDS default if left out.
    """
    require_devices()
    from gsmooth_jax.data import load_split
    from gsmooth_jax.training.denoiser_fit import fit

    (images, _), (test_images, _) = (load_split(config.data, split, data_dir) for split in ("train", "test"))
    fit(config, images, test_images)
