"""Certified robustness of image classifiers against semantic transformations.

``certify`` proves, image by image, that a smoothed classifier keeps its answer under every transformation of a region;
``certify_run`` writes the proofs of a whole data set into a folder, which ``verify`` and ``report`` read.
"""

from gsmooth_jax import transforms as transforms
from gsmooth_jax.api import certify as certify
from gsmooth_jax.api import certify_run as certify_run
from gsmooth_jax.api import load as load
from gsmooth_jax.api import load_denoiser as load_denoiser
from gsmooth_jax.api import report as report
from gsmooth_jax.api import verify as verify
from gsmooth_jax.claims import Claim as Claim
from gsmooth_jax.claims import Hypothesis as Hypothesis
from gsmooth_jax.engine.execution import Execution as Execution
from gsmooth_jax.methods.base import Guarantee as Guarantee
from gsmooth_jax.methods.closed_form import ClosedForm as ClosedForm
from gsmooth_jax.methods.cover import Cover as Cover
from gsmooth_jax.methods.enumerate import Enumerate as Enumerate
from gsmooth_jax.methods.gsmooth import GSmooth as GSmooth
from gsmooth_jax.methods.interval import IntervalBounds as IntervalBounds
from gsmooth_jax.methods.median import Median as Median
from gsmooth_jax.methods.smoothed import Smoothed as Smoothed
from gsmooth_jax.methods.stream import certify_stream as certify_stream
from gsmooth_jax.models import Classifier as Classifier
from gsmooth_jax.models import Denoised as Denoised
from gsmooth_jax.models import as_classifier as as_classifier
from gsmooth_jax.regions import Ball as Ball
from gsmooth_jax.regions import Box as Box
from gsmooth_jax.results.accuracy import certified_accuracy as certified_accuracy
from gsmooth_jax.results.certify import RunFailed as RunFailed
from gsmooth_jax.smoothing import Exponential as Exponential
from gsmooth_jax.smoothing import FoldedGaussian as FoldedGaussian
from gsmooth_jax.smoothing import Gaussian as Gaussian
from gsmooth_jax.smoothing import Laplace as Laplace
from gsmooth_jax.smoothing import LogNormal as LogNormal
from gsmooth_jax.smoothing import PixelNoise as PixelNoise
from gsmooth_jax.smoothing import Rayleigh as Rayleigh
from gsmooth_jax.smoothing import Uniform as Uniform
from gsmooth_jax.surrogate import AugmentedNoise as AugmentedNoise
from gsmooth_jax.types import ABSTAIN as ABSTAIN
from gsmooth_jax.types import Domain as Domain
from gsmooth_jax.types import Example as Example
