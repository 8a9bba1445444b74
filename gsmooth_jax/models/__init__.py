"""Classifiers: the networks of the literature, any callable from elsewhere, and checkpoints.

What needs Flax is imported when first asked for: whoever brings another kind of model never waits for it.
"""

import importlib
from typing import TYPE_CHECKING, Any

from gsmooth_jax.models.checks import check_model as check_model
from gsmooth_jax.models.checks import check_sample_rate as check_sample_rate
from gsmooth_jax.models.classifier import Classifier as Classifier
from gsmooth_jax.models.classifier import as_classifier as as_classifier
from gsmooth_jax.models.denoised import Denoised as Denoised
from gsmooth_jax.models.denoised import Denoiser as Denoiser
from gsmooth_jax.models.ensembling import architectures as architectures
from gsmooth_jax.models.ensembling import calls_host as calls_host
from gsmooth_jax.models.ensembling import differentiable as differentiable
from gsmooth_jax.models.ensembling import ensemble as ensemble
from gsmooth_jax.models.ensembling import runtimes_of as runtimes_of
from gsmooth_jax.models.ensembling import unseen as unseen
from gsmooth_jax.models.host import HostModel as HostModel
from gsmooth_jax.models.host import host_failure as host_failure
from gsmooth_jax.models.input_format import InputFormat as InputFormat
from gsmooth_jax.models.input_format import TracedModel as TracedModel
from gsmooth_jax.models.named import elsewhere as elsewhere
from gsmooth_jax.models.named import load_named as load_named
from gsmooth_jax.models.named import named_model as named_model
from gsmooth_jax.models.regressor import Model as Model
from gsmooth_jax.models.regressor import Regressor as Regressor
from gsmooth_jax.models.regressor import as_model as as_model

if TYPE_CHECKING:
    from gsmooth_jax.models.architecture import MODELS as MODELS
    from gsmooth_jax.models.architecture import Architecture as Architecture
    from gsmooth_jax.models.checkpoint import describe as describe
    from gsmooth_jax.models.checkpoint import fingerprint as fingerprint
    from gsmooth_jax.models.checkpoint import load as load
    from gsmooth_jax.models.checkpoint import save as save
    from gsmooth_jax.models.normalize import Normalize as Normalize

_HOMES = {
    "MODELS": "architecture",
    "Architecture": "architecture",
    "describe": "checkpoint",
    "fingerprint": "checkpoint",
    "load": "checkpoint",
    "save": "checkpoint",
    "Normalize": "normalize",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
