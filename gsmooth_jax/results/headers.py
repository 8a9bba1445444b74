"""A run's header: everything that changes a claim, and what computed it. ``header.json`` in the run's folder. Host."""

import dataclasses
import hashlib
import json
import os
import platform
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import jax

from gsmooth_jax import _spec, models, transforms
from gsmooth_jax.claims import Claim
from gsmooth_jax.engine import settings
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.base import Guarantee, Method
from gsmooth_jax.methods.cover import Cover
from gsmooth_jax.methods.cover.cells import Cells
from gsmooth_jax.methods.gsmooth import GSmooth
from gsmooth_jax.models import Model
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.results.misfit import Fields, brief, misfit
from gsmooth_jax.types import Domain, Region
from gsmooth_jax.version import VERSION

FILE = "header.json"

_FIELDS: Fields = {
    "transform": str,
    "region": dict,
    "law": str,
    "method": str,
    "alpha": float,
    "test": str,
    "selection_votes": int,
    "max_votes": int,
    "block": int,
    "futility": float,
    "seed": int,
    "data": dict,
    "data.name": str,
    "model": dict,
    "model.architectures": list,
    "model.dtype": str,
    "model.fingerprint": str,
    "versions": dict,
    "versions.gsmooth_jax": str,
}
"""What a header holds whatever the method, since the first version."""

_GROWN = "grown_from"
"""What a header calls the data of a run whose data have grown, as they were before each time."""


def make(guarantee: Guarantee, *, model: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the run's header: everything that changes a claim.

    Args:
      guarantee: the claim's terms.
      model: what ``model_of`` gives.
      data: the data set, split and selection.
    """
    g = guarantee
    return (
        {
            "transform": transforms.describe(g.transform),
            "region": _region_to_json(g.region),
            "law": g.method.law,
            "method": registry.describe(g.method),
            "alpha": g.alpha,
            "test": g.test,
            "selection_votes": g.selection_votes,
            "max_votes": g.max_votes,
            "block": g.block,
            "futility": g.futility,
            "seed": g.seed,
            "model": dict(model),
            "data": dict(data),
        }
        | _plugins(g)
        | environment()
    )


def _plugins(guarantee: Guarantee) -> dict[str, Any]:
    """The source files of the parts that are not this library's, if there are any."""
    found = _spec.sources(*(part for _, part in registry.parts(guarantee)))
    return {"plugins": found} if found else {}


def other_plugins(header: Mapping[str, Any], guarantee: Guarantee) -> list[str]:
    """Says which plug-ins are not those of a header."""
    then, now = header.get("plugins", {}), _spec.sources(*(part for _, part in registry.parts(guarantee)))
    return [f"plug-in {name} is another file than the run's" for name in now if then.get(name) != now[name]]


def model_of(classifier: Model) -> dict[str, Any]:
    """Returns what a header says of a classifier: which it is, in what it computes, and on what inputs."""
    return {
        "architectures": models.architectures(classifier),
        "fingerprint": models.fingerprint(classifier),
        "dtype": classifier.dtype,
        "domain": dataclasses.asdict(classifier.domain),
    } | ({"runtime": runtime} if (runtime := models.runtimes_of(classifier)) else {})


def domain_of(header: Mapping[str, Any]) -> Domain | None:
    """Returns the inputs that a run is about; None of versions before 0.7, which knew images in [0, 1] alone.

    Raises:
      ValueError: a damaged entry.
    """
    found = header["model"].get("domain")
    if found is None:
        return None
    try:
        return Domain(**{**found, "shape": tuple(found["shape"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"The header's domain is damaged: {found!r}.") from error


def environment() -> dict[str, Any]:
    """Returns what computes here: the part of a header that is of this machine, its settings and these packages."""
    return {
        "backend": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "machine": platform.machine(),
        "settings": settings.settings(),
        "versions": {"gsmooth_jax": VERSION} | {p: metadata.version(p) for p in ("jax", "jaxlib", "numpy", "scipy")},
    }


def claimed(header: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the rest of a header: what is claimed, whatever computed it.

    Without the inputs' domain, which older headers do not name: the classifier's fingerprint is of it, too.
    """
    of_the_machine = environment().keys()
    rest = {k: v for k, v in header.items() if k not in of_the_machine}
    return rest | {"model": {k: v for k, v in header["model"].items() if k not in ("domain", "runtime")}}


def guarantee_of(header: Mapping[str, Any], folders: Sequence[Path] = ()) -> Guarantee:
    """Rebuilds the claim's terms from a header.

    Args:
      header: the run's.
      folders: near which a surrogate may be found, where its path was written down in another working folder.

    Raises:
      ValueError: a missing field, or one that no longer names anything known.
    """
    plain = ("alpha", "test", "selection_votes", "max_votes", "block", "futility", "seed")
    try:
        transform = transforms.parse(header["transform"])
        return Guarantee(
            transform=transform,
            region=region_of(header),
            method=_as_of(header, registry.parse(header["method"], header["law"], transform, folders)),
            **{name: header[name] for name in plain},
        )
    except KeyError as error:
        raise ValueError(f"The header lacks or does not know {error}.") from error
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"The header is damaged: {error}.") from error


def _as_of(header: Mapping[str, Any], method: Method) -> Method:
    """A method as it was when the run was made."""
    numbers = tuple(map(int, header["versions"]["gsmooth_jax"].split(".")[:2]))
    if numbers < (0, 9) and isinstance(method, GSmooth):
        return dataclasses.replace(method, nested=False)
    return Cells(cover=method) if numbers < (0, 8) and isinstance(method, Cover) else method


def digest(header: Mapping[str, Any]) -> str:
    """Returns a short fingerprint of a header, which every record of the run carries."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()[:16]


def digests(header: Mapping[str, Any]) -> list[str]:
    """Returns the fingerprints that records of a run may carry: its header's, and those before its data grew."""
    before = _before(header)
    return [digest(header), *(digests(before) if before else ())]


def grown(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a run's header for data that begin with those that it had: what those were stays in it.

    Args:
      known: the header in the run's folder.
      wanted: the header that the run would have if it began now.
    """
    earlier = [*known.get(_GROWN, ()), *([known["data"]] if known["data"] != wanted["data"] else ())]
    return dict(wanted) | ({_GROWN: earlier} if earlier else {})


def _before(header: Mapping[str, Any]) -> dict[str, Any] | None:
    """The header before the run's data last grew; None where they never did."""
    if not header.get(_GROWN):
        return None
    *earlier, last = header[_GROWN]
    rest = {name: value for name, value in header.items() if name != _GROWN}
    return rest | {"data": last} | ({_GROWN: earlier} if earlier else {})


def region_of(header: Mapping[str, Any]) -> Region:
    """Rebuilds the region from a header.

    Raises:
      ValueError: a damaged entry.
    """
    region = header["region"]
    try:
        return Box(**region["box"]) if "box" in region else Ball(**region["ball"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"The header's region is damaged: {brief(region)}.") from error


def check(header: Mapping[str, Any], claims: Iterable[Claim], where: Path) -> None:
    """Raises ValueError where a claim was written under another header."""
    known = digests(header)
    strangers = [c.id for c in claims if c.header not in known]
    if strangers:
        raise ValueError(f"{where}: {len(strangers)} records, such as image {strangers[0]}, belong to another header.")


def keep(path: Path, header: Mapping[str, Any]) -> None:
    """Writes a header where there is none, or one from which this one has ``grown``.

    Raises:
      ValueError: there is another one, or a damaged one.
      OSError: the folder cannot be written.
    """
    if not path.exists():
        _create(path, json.dumps(header, indent=2) + "\n")
    known, wanted = load(path), json.loads(json.dumps(header))
    if _before(wanted) == known:
        partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
        partial.write_text(json.dumps(header, indent=2) + "\n")
        partial.replace(path)
        return
    if different := list(_differences(known, wanted)):
        listed = "; ".join(f"{k}: the folder has {brief(a)}, this run {brief(b)}" for k, a, b in different)
        raise ValueError(f"{path.parent} holds a run of another claim ({listed}). Choose another --out.")


def _differences(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The entries, those of inner objects by their own names, in which two headers differ."""
    for name in sorted(known.keys() | wanted.keys()):
        a, b = known.get(name), wanted.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            yield from ((f"{name}.{inner}", *rest) for inner, *rest in _differences(a, b))
        elif a != b:
            yield name, a, b


def load(path: Path) -> dict[str, Any]:
    """Reads a header.

    Raises:
      ValueError: a damaged file.
    """
    try:
        header = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); the run cannot be trusted.") from error
    if problem := _damage(header):
        raise ValueError(f"{path} is damaged ({problem}); the run cannot be trusted.")
    return header


def _damage(header: Any) -> str:
    """What no header has; empty where nothing is found."""
    if problem := misfit(header, _FIELDS):
        return problem
    networks = header["model"]["architectures"]
    if not all(isinstance(each, dict) and isinstance(each.get("name", ""), str) for each in networks):
        return f"its model.architectures are no networks: {brief(networks)}"
    if not re.fullmatch(r"\d+\.\d+\.\d+", header["versions"]["gsmooth_jax"]):
        return f"its versions.gsmooth_jax is none: {brief(header['versions']['gsmooth_jax'])}"
    if not all(isinstance(data, dict) for data in header.get(_GROWN, [])):
        return f"{_GROWN} is no list of data"
    try:
        region_of(header)
        domain_of(header)
    except ValueError as error:
        return str(error)
    return ""


def _create(path: Path, text: str) -> None:
    """Writes a file whole, unless another process is quicker: a link, unlike a rename, never replaces what is there."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        partial.write_text(text)
        try:
            os.link(partial, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _region_to_json(region: Region) -> dict[str, Any]:
    match region:
        case Box():
            return {"box": {"low": list(region.low), "high": list(region.high)}}
        case Ball():
            return {"ball": {"radius": region.radius, "dim": region.dim}}
    raise ValueError(f"Expected a Box or a Ball, got {region!r}.")
