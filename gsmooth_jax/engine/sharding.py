"""Which device does which rows: a mesh over the local devices, of one axis unless the weights are split too."""

from collections.abc import Sequence
from typing import Any

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

ROWS = "rows"


def row_mesh(devices: Sequence[Any] | None = None) -> Mesh:
    """Returns the mesh over which batches of rows are split; all local devices unless told."""
    devices = jax.local_devices() if devices is None else devices
    return jax.make_mesh((len(devices),), (ROWS,), axis_types=(AxisType.Auto,), devices=devices)


def model_mesh(weights: Any) -> Mesh | None:
    """Returns the mesh over which the caller has split a pytree of weights, or None where nothing is split.

    Rows are split over its axis ``"rows"``; where it has none, it gets one of size 1: all devices see all rows.

    Raises:
      ValueError: weights split over several meshes, without a mesh, or over devices of other processes.
    """
    split = [s for s in map(_sharding, jax.tree.leaves(weights)) if s is not None and not s.is_fully_replicated]
    if not split:
        return None
    meshes = {s.mesh if isinstance(s, NamedSharding) else None for s in split}
    mesh = meshes.pop()
    if meshes or not isinstance(mesh, Mesh):
        raise ValueError("Expected all split weights to carry a NamedSharding over one mesh.")
    if any(d.process_index != jax.process_index() for d in mesh.devices.flat):
        raise ValueError(
            "Expected weights split over devices of this process alone: processes share images, not models."
        )
    devices, names = mesh.devices, mesh.axis_names
    if ROWS not in names:
        devices, names = devices[None], (ROWS, *names)
    return Mesh(devices, names, axis_types=(AxisType.Auto,) * len(names))


def as_split(weights: Any, mesh: Mesh) -> Any:
    """Places weights on a mesh of ``model_mesh``, each as its caller has split it; what is not split, whole."""

    def place(leaf: Any) -> jax.Array:
        own = _sharding(leaf)
        return jax.device_put(
            leaf, NamedSharding(mesh, own.spec if isinstance(own, NamedSharding) else PartitionSpec())
        )

    return jax.tree.map(place, weights)


def by_rows(mesh: Mesh) -> NamedSharding:
    """Splits the leading axis over the mesh."""
    return NamedSharding(mesh, PartitionSpec(ROWS))


def replicated(mesh: Mesh) -> NamedSharding:
    """One whole copy a device."""
    return NamedSharding(mesh, PartitionSpec())


def _sharding(leaf: Any) -> jax.sharding.Sharding | None:
    return leaf.sharding if isinstance(leaf, jax.Array) else None
