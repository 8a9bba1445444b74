"""Fits a surrogate to a transform: L1 distance over random images, parameters and latent noise; resumable."""

import dataclasses
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dm_pix
import jax
import jax.numpy as jnp
import numpy as np
import optax

from gsmooth_jax import transforms
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.surrogate import lipschitz
from gsmooth_jax.surrogate.networks import Networks
from gsmooth_jax.surrogate.noise import AugmentedNoise
from gsmooth_jax.surrogate.surrogate import Surrogate, save
from gsmooth_jax.training import _run_folder
from gsmooth_jax.training import surrogate_picture as picture
from gsmooth_jax.training._epochs import Epochs, mean, plain
from gsmooth_jax.training.optimizers import FitState, adam_cycle
from gsmooth_jax.training.surrogate_config import FitConfig
from gsmooth_jax.types import Transform

# Streams of the run's seed.
_INIT, _ORDER, _DRAWS, _TEST = range(4)

_IDENTITY = 8
"""One image in so many is left as it is: the identity must be fitted well, wherever in the range it lies."""

_GRID = 11  # parameters at which one parameter is tested; several are tested at as many drawn points and the corners
_TEST_BATCH = 200
_TEST_IMAGES = 1000
_WINDOW = 11  # px, of the published structural similarity; smaller images have a smaller one
_MOST_DB = 100.0  # peak signal-to-noise ratio of images that float32 hardly tells apart


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A fit's fixed part: hashable, so that it is a static argument of the compiled step."""

    networks: Networks
    transform: Transform
    low: tuple[float, ...]
    high: tuple[float, ...]
    sigma: float
    encoder_decay: float
    learning_rate: float
    steps: int
    batch_size: int

    @classmethod
    def build(cls, config: FitConfig, image_shape: tuple[int, int, int], steps: int) -> "Recipe":
        """Reads a configuration for images [H, W, C] and so many steps."""
        transform, box, drawn = config.adversary(), config.box(), config.drawn()
        networks = Networks(
            name=config.arch,
            image_shape=image_shape,
            transform=transforms.describe(transform),
            low=box.low,
            high=box.high,
            width=config.width,
            encoder=() if config.encoder == (0,) else config.encoder,
        )
        return cls(
            networks=networks,
            transform=transform,
            low=drawn.low,
            high=drawn.high,
            sigma=config.sigma,
            encoder_decay=config.encoder_decay,
            learning_rate=config.learning_rate,
            steps=steps,
            batch_size=config.batch_size,
        )

    def transformation(self) -> optax.GradientTransformation:
        """The optimiser."""
        return adam_cycle(self.learning_rate, self.steps)

    def draw(self, key: jax.Array, count: int) -> jax.Array:
        """Parameters [count, P] uniform over the range, every eighth of them the identity. The key is consumed."""
        low, high = (jnp.asarray(ends, jnp.float32) for ends in (self.low, self.high))
        theta = jax.random.uniform(key, (count, len(self.low)), minval=low[None], maxval=high[None])
        return jnp.where((jnp.arange(count) % _IDENTITY == 0)[:, None], 0.0, theta)


def fit(
    config: FitConfig,
    images: np.ndarray,
    test_images: np.ndarray,
    *,
    progress: bool = True,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> Surrogate:
    """Fits a surrogate, or resumes the fit that its folder holds.

    All draws are functions of (seed, step), so a resumed fit ends with the weights of an uninterrupted one. Every epoch
    leaves a complete surrogate in the folder; the last one also ``fit.json`` (errors on the test images, by parameter)
    and ``surrogate.png`` (image, real transform, surrogate, difference); with sigma and
    sigma_parameter also ``noise.png`` (image, pixel noise, augmented noise).

    Args:
      config: the settings.
      images: [N, H, W, C] uint8.
      test_images: [M, H, W, C] uint8, of which the first 1,000 are used.
      progress: shows a bar with the error and the time left.
      on_epoch: called with every finished epoch's record.

    Returns:
      The surrogate after the last epoch.

    Raises:
      ValueError: wrong shapes or names, or a folder that holds a run of other settings.
      FloatingPointError: the error is no longer finite.
    """
    for kind, given in (("training", images), ("test", test_images)):
        if given.ndim != 4 or given.dtype != np.uint8 or not len(given) or given.shape[1:] != images.shape[1:]:
            raise ValueError(f"Expected {kind} images [N, H, W, C] uint8, got {given.shape} {given.dtype}.")
    if len(images) < config.batch_size:
        raise ValueError(f"Expected batch_size <= {len(images)} training images, got batch_size={config.batch_size}.")
    steps = len(images) // config.batch_size
    recipe = Recipe.build(config, (images.shape[1], images.shape[2], images.shape[3]), steps * config.epochs)
    networks, keys = recipe.networks, [jax.random.fold_in(_threefry.key(config.seed), stream) for stream in range(4)]
    jax.eval_shape(networks.init, keys[_INIT])  # images too small for the network are refused before the folder is made

    def surrogate(state: FitState) -> Surrogate:
        # The next step donates the state's buffers.
        return Surrogate(variables=jax.tree.map(jnp.copy, state.params), networks=networks)

    data = jax.device_put(np.asarray(images))
    test = jax.device_put(np.asarray(test_images[:_TEST_IMAGES]))

    def fresh() -> FitState:
        params = _init(keys[_INIT], networks=networks)
        return FitState(params=params, opt_state=recipe.transformation().init(params), step=jnp.int32(0))

    def step(state: FitState, order: jax.Array) -> tuple[FitState, jax.Array]:
        return fit_step()(state, keys[_DRAWS], data, order, recipe=recipe)

    def finish(state: FitState, record: dict[str, Any]) -> dict[str, Any]:
        now = surrogate(state)
        record |= _summary(errors(now, recipe, keys[_TEST], test[:_TEST_BATCH], config.box().corners()))
        save(config.out, now, _info(config, record))
        return record

    settings = _run_folder.settings(config, images)
    epochs = Epochs(config, settings, len(images), keys[_ORDER], progress, on_epoch)
    fitted = surrogate(epochs.run(fresh, step, functools.partial(mean, "error", 6), finish, plain))
    folder = Path(config.out)
    report = errors(fitted, recipe, keys[_TEST], test, config.box().corners())
    whole = _summary(report) | {
        "images": len(test),
        "encoder_upper": lipschitz.encoder_upper(fitted.variables["encoder"], networks.image_shape),
        "by_parameter": report,
    }
    (folder / "fit.json").write_text(json.dumps(whole, indent=2) + "\n")
    thetas = picture.parameters(config.box())
    clean = test_images[np.arange(len(thetas)) % len(test_images)].astype(np.float32) / 255.0
    real, found = jax.device_get(_side_by_side(fitted, clean, thetas, transform=recipe.transform))
    picture.draw_fit(thetas, clean, real, found, folder / "surrogate.png")
    if config.sigma and all(config.sigma_parameter):
        noise = AugmentedNoise(surrogate=fitted, sigma_parameter=config.sigma_parameter, sigma=config.sigma)
        pixel, augmented = jax.device_get(_noisy(noise, jax.random.fold_in(keys[_TEST], 2), clean))
        picture.draw_noise(clean, pixel, augmented, folder / "noise.png")
    return fitted


def errors(
    surrogate: Surrogate, recipe: Recipe, key: jax.Array, images: jax.Array, corners: np.ndarray
) -> list[dict[str, Any]]:
    """Compares a surrogate with its transform at points of the region, the identity and the corners among them.

    Args:
      surrogate: what is tested.
      recipe: names the transform, and the latent noise that H should remove.
      key: of the noise, and of the points where there are several parameters.
      images: [M, H, W, C] uint8.
      corners: [*, P] of the region.

    Returns:
      For each parameter: ``theta``; the ``mean`` and ``max`` absolute error of a pixel; ``max_l2``, the largest L2
      distance of an image; ``psnr`` in dB and ``ssim``, the peak signal-to-noise ratio and the structural similarity
      (Wang et al. 2004), means over the images; and, where H is a denoiser, ``mean_noisy``.
    """
    low, high = corners.min(axis=0), corners.max(axis=0)
    points_key, noise_key = jax.random.fold_in(key, 0), jax.random.fold_in(key, 1)  # every epoch the same
    if len(low) == 1:
        points = np.linspace(low, high, _GRID)
    else:
        inner = np.asarray(jax.random.uniform(points_key, (_GRID, len(low))))
        points = np.concatenate([corners, low + inner * (high - low)])
    points = np.unique(np.concatenate([np.zeros((1, len(low))), points]), axis=0).astype(np.float32)
    found = []
    for number, theta in enumerate(points):
        sums, tops = np.zeros(4), np.zeros(2)
        for start in range(0, len(images), _TEST_BATCH):
            batch = images[start : start + _TEST_BATCH]
            own = jax.random.fold_in(jax.random.fold_in(noise_key, number), start)
            mean, largest = jax.device_get(_compare(surrogate, own, batch, jnp.asarray(theta), recipe=recipe))
            sums, tops = sums + np.asarray(mean, np.float64) * len(batch), np.maximum(tops, largest)
        mean, noisy, psnr, ssim = (sums / len(images)).tolist()
        entry = {"theta": theta.tolist(), "mean": mean, "max": float(tops[0]), "max_l2": float(tops[1])}
        entry |= {"psnr": psnr, "ssim": ssim}
        found.append(entry | ({"mean_noisy": noisy} if recipe.sigma else {}))
    return found


def _summary(report: list[dict[str, Any]]) -> dict[str, float]:
    out = {"test_mean": round(float(np.mean([e["mean"] for e in report])), 6)}
    if "mean_noisy" in report[0]:
        out["test_mean_noisy"] = round(float(np.mean([e["mean_noisy"] for e in report])), 6)
    out["test_max"] = round(max(e["max"] for e in report), 6)
    out["test_max_l2"] = round(max(e["max_l2"] for e in report), 6)
    return out


def _info(config: FitConfig, record: dict[str, Any]) -> dict[str, Any]:
    fields = {k: v for k, v in dataclasses.asdict(config).items() if k != "out"}
    return {"data": config.data, "fit": fields, "result": record}


@functools.partial(
    jax.jit,
    static_argnames="networks",
    compiler_options={"xla_backend_optimization_level": 0},  # runs once
)
def _init(key: jax.Array, *, networks: Networks) -> dict[str, Any]:
    return networks.init(_threefry.compact(key))


def _fit_step(
    state: FitState, key: jax.Array, images: jax.Array, order: jax.Array, *, recipe: Recipe
) -> tuple[FitState, jax.Array]:
    """Takes one step on the batch that the order names; returns the new state and the mean absolute error.

    Args:
      state: donated.
      key: the run's key; the step's own is derived by ``fold_in`` of the step's number.
      images: [N, H, W, C] uint8, the whole training set.
      order: [N] int32, the permutation of this epoch.
      recipe: networks, transform, noise, optimiser.
    """
    batch, networks = recipe.batch_size, recipe.networks
    start = state.step % (order.shape[0] // batch) * batch
    chosen = images[jax.lax.dynamic_slice(order, (start,), (batch,))].astype(jnp.float32) / 255.0
    theta_key, noise_key = jax.random.split(jax.random.fold_in(key, state.step))
    theta = recipe.draw(theta_key, batch)
    truth = jax.vmap(recipe.transform)(chosen, theta)
    noise = recipe.sigma * jax.random.normal(noise_key, chosen.shape) if recipe.sigma else 0.0

    def loss_of(params: Any) -> tuple[jax.Array, jax.Array]:
        shift = jax.vmap(networks.shift, in_axes=(None, 0))(params, theta)
        latents = networks.encode(params, chosen) + shift + noise
        error = jnp.abs(networks.decode(params, latents) - truth).mean()
        weights = sum((jnp.sum(w**2) for w in jax.tree.leaves(params["encoder"])), jnp.zeros(()))
        return error + recipe.encoder_decay * weights, error

    (_, error), gradient = jax.value_and_grad(loss_of, has_aux=True)(state.params)
    updates, opt_state = recipe.transformation().update(gradient, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    return FitState(params=params, opt_state=opt_state, step=state.step + 1), error


@functools.cache
def fit_step() -> Callable[..., tuple[FitState, jax.Array]]:
    """Returns the compiled step, whose arguments are those of ``_fit_step``."""
    return jax.jit(_fit_step, static_argnames="recipe", donate_argnums=0, compiler_options=_run_folder.step_options())


@functools.partial(jax.jit, static_argnames="recipe")
def _compare(
    surrogate: Surrogate, key: jax.Array, images: jax.Array, theta: jax.Array, *, recipe: Recipe
) -> tuple[jax.Array, jax.Array]:
    """[M, H, W, C] uint8, [P] -> [4] means and [2] largest.

    Returns:
      Mean error without and with latent noise, peak signal-to-noise ratio, structural similarity; the largest error of
      a pixel, and of an image in L2.
    """
    clean = images.astype(jnp.float32) / 255.0
    truth = jax.vmap(recipe.transform, in_axes=(0, None))(clean, theta)
    latents = surrogate.encode(clean) + surrogate.shift(theta)[None]
    decoded = surrogate.decode(latents)
    difference = decoded - truth
    mean = jnp.abs(difference).mean()
    noisy = mean
    if recipe.sigma:
        drawn = latents + recipe.sigma * jax.random.normal(key, latents.shape)
        noisy = jnp.abs(surrogate.decode(drawn) - truth).mean()
    lengths = jnp.sqrt(jnp.sum(difference**2, axis=(1, 2, 3)))
    psnr = jnp.minimum(dm_pix.psnr(decoded, truth), _MOST_DB).mean()
    ssim = jnp.asarray(dm_pix.ssim(decoded, truth, filter_size=min(_WINDOW, *truth.shape[1:3]))).mean()
    return jnp.stack([mean, noisy, psnr, ssim]), jnp.stack([jnp.abs(difference).max(), lengths.max()])


@functools.partial(jax.jit, static_argnames="transform")
def _side_by_side(
    surrogate: Surrogate, images: jax.Array, thetas: jax.Array, *, transform: Transform
) -> tuple[jax.Array, jax.Array]:
    """[M, H, W, C], [M, P] -> [M, H, W, C] twice: as the transform, and as the surrogate has it."""
    shift = jax.vmap(surrogate.shift)(thetas)
    return jax.vmap(transform)(images, thetas), surrogate.decode(surrogate.encode(images) + shift)


@jax.jit
def _noisy(noise: AugmentedNoise, key: jax.Array, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """[M, H, W, C] -> the same twice: under pixel noise of the latent's size, and under augmented noise."""
    pixel_key, key = jax.random.split(key)
    pixel = images + noise.sigma * jax.random.normal(pixel_key, images.shape)
    return pixel, jax.vmap(noise)(jax.random.split(key, len(images)), noise.encode(images))
