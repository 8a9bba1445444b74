"""Classifiers: the networks of the literature, any callable from elsewhere, and checkpoints."""

from gsmooth_jax.models.architecture import MODELS as MODELS
from gsmooth_jax.models.architecture import Architecture as Architecture
from gsmooth_jax.models.checkpoint import describe as describe
from gsmooth_jax.models.checkpoint import fingerprint as fingerprint
from gsmooth_jax.models.checkpoint import load as load
from gsmooth_jax.models.checkpoint import save as save
from gsmooth_jax.models.classifier import Classifier as Classifier
from gsmooth_jax.models.classifier import as_classifier as as_classifier
from gsmooth_jax.models.normalize import Normalize as Normalize
