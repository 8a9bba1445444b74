"""A run is a folder: ``header.json`` (what was claimed) and ``results.jsonl`` (one line an image, flushed when done).

Lines are written in the data set's order and never rewritten. A line that a crash cut short is dropped when the run is
resumed, and its image is done again. One process at a time: the folder is locked until its owner ends, however it ends.
Host.
"""

import dataclasses
import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import jax

from gsmooth_jax import transforms
from gsmooth_jax.certify import methods
from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.claims import CellEvidence, Claim, Evidence
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.types import Region

HEADER = "header.json"
RESULTS = "results.jsonl"


def make_header(guarantee: Guarantee, *, model: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the run's header: everything that changes a claim.

    Args:
      guarantee: the claim's terms.
      model: where the classifier came from; holds at least its ``fingerprint``.
      data: the data set, split and selection.
    """
    g = guarantee
    return {
        "transform": transforms.describe(g.transform),
        "region": _region_to_json(g.region),
        "law": g.method.law,
        "method": g.method.name,
        "alpha": g.alpha,
        "test": g.test,
        "selection_votes": g.selection_votes,
        "max_votes": g.max_votes,
        "block": g.block,
        "futility": g.futility,
        "seed": g.seed,
        "model": dict(model),
        "data": dict(data),
    } | environment()


def environment() -> dict[str, Any]:
    """Returns what computes here: the part of a header that is of this machine and these packages."""
    return {
        "backend": jax.default_backend(),
        "machine": platform.machine(),
        "versions": {p: metadata.version(p) for p in ("gsmooth_jax", "jax", "jaxlib", "numpy", "scipy")},
    }


def guarantee_of(header: Mapping[str, Any]) -> Guarantee:
    """Rebuilds the claim's terms from a header.

    Raises:
      ValueError: a missing field, or one that no longer names anything known.
    """
    plain = ("alpha", "test", "selection_votes", "max_votes", "block", "futility", "seed")
    try:
        transform = transforms.parse(header["transform"])
        return Guarantee(
            transform=transform,
            region=region_of(header),
            method=methods.parse(header["method"], header["law"], transform),
            **{name: header[name] for name in plain},
        )
    except KeyError as error:
        raise ValueError(f"The header lacks or does not know {error}.") from error


def digest(header: Mapping[str, Any]) -> str:
    """Returns a short fingerprint of a header, which every record of the run carries."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()[:16]


class RunWriter:
    """Appends claims to a run's folder. A context manager; holds the folder's lock until closed.

    Attributes:
      done: ids that the folder already holds.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]):
        """Opens a new or an interrupted run.

        Raises:
          ValueError: the folder holds a run of another claim, or a damaged file.
          BlockingIOError: another process is writing it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / RESULTS
        self._file = open(self._path, "ab")  # noqa: SIM115 (closed by __exit__)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _keep_header(folder / HEADER, header)
            claims, self._end = _read_lines(self._path)
            self._file.truncate(self._end)
        except BlockingIOError as error:
            self._file.close()
            raise BlockingIOError(f"Another process is writing the run {folder}.") from error
        except BaseException:
            self._file.close()
            raise
        self.done = {c.id for c in claims}
        self._digest = digest(header)

    def append(self, claim: Claim) -> None:
        """Writes one line and flushes it.

        Raises:
          OSError: the disk is full or gone. What was written before stays whole, and the run can be resumed.
        """
        value = _claim_to_json(dataclasses.replace(claim, header=self._digest))
        line = json.dumps(value, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise OSError(
                error.errno, f"Cannot write {self._path} ({error.strerror}); make room and run the same command again"
            ) from error
        self._end += len(line)
        self.done.add(claim.id)

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError:
            # The line that did not fit is still in the buffer; append() has told the caller.
            os.truncate(self._path, self._end)


def read_run(folder: Path) -> tuple[dict[str, Any], list[Claim]]:
    """Reads a run's header and its whole lines.

    Raises:
      ValueError: no run there, or a damaged file.
    """
    header = folder / HEADER
    if not header.is_file():
        raise ValueError(f"Expected a run folder with {HEADER}, got {str(folder)!r}.")
    return _load_header(header), _read_lines(folder / RESULTS)[0]


def to_tsv(claims: Sequence[Claim]) -> str:
    """Returns the ``idx label predict radius correct time`` table that the field's scripts read.

    ``predict`` is -1 for an abstention; ``correct`` is 1 or 0 for that image (not a running total).
    """
    lines = ["idx\tlabel\tpredict\tradius\tcorrect\ttime"]
    lines += [f"{c.id}\t{c.label}\t{c.predicted}\t{c.radius:.6g}\t{int(c.correct)}\t{c.seconds:.3f}" for c in claims]
    return "\n".join(lines) + "\n"


def region_of(header: Mapping[str, Any]) -> Region:
    """Rebuilds the region from a header."""
    region = header["region"]
    return Box(**region["box"]) if "box" in region else Ball(**region["ball"])


def _keep_header(path: Path, header: Mapping[str, Any]) -> None:
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(header, indent=2) + "\n")
        partial.replace(path)
        return
    known, wanted = _load_header(path), json.loads(json.dumps(header))
    different = sorted(k for k in known.keys() | wanted.keys() if known.get(k) != wanted.get(k))
    if different:
        listed = "; ".join(f"{k}: the folder has {known.get(k)!r}, this run {wanted.get(k)!r}" for k in different)
        raise ValueError(f"{path.parent} holds a run of another claim ({listed}). Choose another --out.")


def _load_header(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); the run cannot be trusted.") from error


def _read_lines(path: Path) -> tuple[list[Claim], int]:
    """Returns the claims of the whole lines and the offset at which the last of them ends."""
    claims: list[Claim] = []
    end = 0
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            if not line.endswith(b"\n"):
                break
            claims.append(_claim_from_json(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            if number == len(lines) and isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
                break
            raise ValueError(f"{path}, line {number} of {len(lines)} is damaged ({error}).") from error
        end += len(line)
    return claims, end


def _claim_to_json(claim: Claim) -> dict[str, Any]:
    """A claim of ``cover`` may have hundreds of cells: they are written as columns, each field's name once."""
    value = {f.name: getattr(claim, f.name) for f in dataclasses.fields(claim)} | {"ledger": dict(claim.ledger)}
    cells = [n for n in claim.nodes if isinstance(n, CellEvidence)]
    if cells and len(cells) == len(claim.nodes):
        columns = dict(zip(CellEvidence._fields, zip(*cells, strict=True), strict=True))
        # Ends are turned too: one column a parameter.
        value["nodes"] = columns | {end: list(zip(*columns[end], strict=True)) for end in ("low", "high")}
    else:
        value["nodes"] = [dataclasses.asdict(n) for n in claim.nodes if isinstance(n, Evidence)]
    return value


def _claim_from_json(value: dict[str, Any]) -> Claim:
    required = [f.name for f in dataclasses.fields(Claim) if f.default is dataclasses.MISSING]
    if missing := [name for name in required if name not in value]:
        raise ValueError(f"it lacks {', '.join(missing)}: written by another version?")
    columns = value["nodes"]
    if isinstance(columns, dict):
        ends = {end: zip(*columns[end], strict=True) for end in ("low", "high")}
        nodes = map(CellEvidence._make, zip(*((columns | ends)[f] for f in CellEvidence._fields), strict=True))
    else:
        nodes = (Evidence(**_with_tuples(n)) for n in columns)
    return Claim(**(_with_tuples(value) | {"ledger": tuple(value["ledger"].items()), "nodes": tuple(nodes)}))


def _with_tuples(value: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}


def _region_to_json(region: Region) -> dict[str, Any]:
    match region:
        case Box():
            return {"box": {"low": list(region.low), "high": list(region.high)}}
        case Ball():
            return {"ball": {"radius": region.radius, "dim": region.dim}}
    raise ValueError(f"Expected a Box or a Ball, got {region!r}.")
