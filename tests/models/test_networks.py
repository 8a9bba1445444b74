import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.models import MODELS, Architecture, Normalize
from gsmooth_jax.models.batch_norm import BatchNorm, normalised
from gsmooth_jax.models.normalize import fit
from gsmooth_jax.models.pooling import global_max_pool, max_pool
from tests.models.fill import random_variables

_CIFAR = (32, 32, 3)


def _count(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


@pytest.mark.parametrize(
    ("name", "classes", "input_shape", "parameters"),
    [
        # 3x3 convolutions 1-32-32-64-64, dense 1024-200-200-10, all with biases.
        ("convnet", 10, (28, 28, 1), 320 + 9248 + 18496 + 36928 + 205000 + 40200 + 2010),
        # Without biases but the last; a scale and an offset for each of 32 + 32 + 64 + 64 + 200 + 200 channels.
        ("convnet_bn", 10, (28, 28, 1), 288 + 9216 + 18432 + 36864 + 204800 + 40000 + 2010 + 2 * 592),
        # He et al. (2016a) table 6: 0.27 M and 1.7 M; the exact counts are those of option A.
        ("resnet20", 10, _CIFAR, 269722),
        ("resnet110", 10, _CIFAR, 1727962),
        # Batch norms now see the block inputs: the one of 16 after the first convolution becomes one of 64 at the end,
        # and the first norms of stages two and three are as narrow as the stage before.
        ("preresnet110", 10, _CIFAR, 1727962 - 2 * 16 + 2 * 64 - 2 * (16 + 32)),
        # 24 biases of the whitening, whose kernel is not trained; six convolutions, six norms, the head.
        (
            "speed_net",
            10,
            _CIFAR,
            24 + 9 * (24 * 64 + 64 * 64 + 64 * 256 + 3 * 256 * 256) + 4 * (64 + 256 + 256) + 2560,
        ),
    ],
)
def test_parameter_counts_and_output_shape(name, classes, input_shape, parameters):
    architecture = Architecture(name=name, classes=classes)
    variables = jax.eval_shape(lambda key: architecture.init(key, input_shape), jax.random.key(0))
    images = jax.ShapeDtypeStruct((3, *input_shape), jnp.float32)
    logits = jax.eval_shape(architecture, variables, images)
    assert logits.shape == (3, classes)
    assert logits.dtype == jnp.float32
    assert _count(variables) == parameters


def test_every_model_is_counted():
    assert set(MODELS) == {"convnet", "convnet_bn", "resnet20", "resnet110", "preresnet110", "speed_net", "audio_net"}


@pytest.fixture(scope="module", params=[False, True], ids=["post", "pre"])
def resnet(request):
    options = (("depth", 8), ("pre", request.param), ("width", 4))
    architecture = Architecture(name="resnet20", classes=5, options=options)
    return architecture, random_variables(architecture, (8, 8, 3))


def test_batch_norm_in_evaluation_ignores_the_rest_of_the_batch(resnet):
    architecture, variables = resnet
    images = jax.random.uniform(jax.random.key(1), (4, 8, 8, 3))
    apply = jax.jit(architecture)
    together = np.asarray(apply(variables, images))
    other = np.asarray(apply(variables, images.at[1:].set(0.0)))
    np.testing.assert_allclose(together[0], other[0], rtol=1e-5, atol=1e-6)
    assert np.abs(together[1] - other[1]).max() > 1e-3


def test_training_updates_the_running_moments_of_every_layer(resnet):
    architecture, variables = resnet
    images = jax.random.uniform(jax.random.key(1), (4, 8, 8, 3))
    logits, updates = jax.jit(architecture.train_apply)(variables, images)
    assert logits.shape == (4, 5)
    before, after = variables["batch_stats"], updates["batch_stats"]
    assert jax.tree.structure(before) == jax.tree.structure(after)
    changed = jax.tree.map(lambda a, b: bool(jnp.any(a != b)), before, after)
    assert all(jax.tree.leaves(changed))


@pytest.mark.parametrize("options", [(("depth", 21),), (("colour", "red"),)])
def test_bad_options_are_refused(options):
    with pytest.raises(ValueError, match=r"depth|resnet20"):
        Architecture(name="resnet20", classes=3, options=options).init(jax.random.key(0), (8, 8, 3))


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match="convnet"):
        Architecture(name="vgg", classes=3)
    with pytest.raises(ValueError, match="dataset"):
        Normalize(mode="batch")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="16 x 16"):
        Architecture(name="convnet", classes=3).init(jax.random.key(0), (8, 8, 1))


def test_dataset_normalisation_has_zero_mean_and_unit_deviation():
    images = np.random.default_rng(0).integers(0, 200, (50, 6, 6, 3)).astype(np.uint8)
    images[..., 1] //= 3
    layer = fit("dataset", images)
    out = np.asarray(layer(jnp.asarray(images / np.float32(255))))
    np.testing.assert_allclose(out.mean((0, 1, 2)), 0.0, atol=1e-3)
    np.testing.assert_allclose(out.std((0, 1, 2)), 1.0, atol=1e-3)


def test_image_normalisation_cancels_brightness_and_contrast():
    images = jax.random.uniform(jax.random.key(0), (3, 8, 8, 3))
    layer = Normalize(mode="image")
    # The contrast cancels up to eps / std = 0.001 / 0.28.
    np.testing.assert_allclose(layer(images), layer(1.3 * images + 0.2), atol=0.01)
    assert np.isfinite(layer(jnp.full((1, 8, 8, 3), 0.7))).all()


def test_architecture_survives_json():
    layer = Normalize(mode="dataset", mean=(0.5,), std=(0.25,))
    architecture = Architecture(name="convnet", classes=7, options=(("hidden", (20,)),), normalize=layer)
    assert Architecture.from_json(architecture.to_json()) == architecture
    assert hash(Architecture.from_json(architecture.to_json())) == hash(architecture)


@pytest.mark.parametrize("running", [True, False], ids=["evaluation", "training"])
def test_batch_norm_is_flax_batch_norm(running):
    ours, flax = BatchNorm(running), nn.BatchNorm(running, momentum=0.9)
    rng = np.random.default_rng(0)
    x, weights = (jnp.asarray(rng.normal(1.0, 2.0, (4, 5, 3, 6)), jnp.float32) for _ in range(2))
    variables = ours.init(jax.random.key(0), x)
    assert jax.tree.structure(variables) == jax.tree.structure(flax.init(jax.random.key(0), x))
    variables = jax.tree.map(lambda leaf: jnp.asarray(rng.uniform(0.5, 1.5, leaf.shape), leaf.dtype), variables)

    def loss(norm, params, x):
        y, updates = norm.apply({**variables, "params": params}, x, mutable=["batch_stats"])
        return (weights * jnp.tanh(y)).sum(), (y, updates)

    got, want = (jax.value_and_grad(loss, (1, 2), has_aux=True)(norm, variables["params"], x) for norm in (ours, flax))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), got, want)


@pytest.mark.parametrize("stride", [1, 2])
def test_folded_batch_norm_is_batch_norm(stride):
    class Pair(nn.Module):
        fold: bool

        @nn.compact
        def __call__(self, x):
            conv = nn.Conv(5, (3, 3), strides=stride, use_bias=False)
            norm = BatchNorm(use_running_average=True)
            return normalised(conv, norm, x) if self.fold else norm(conv(x))

    images = jax.random.normal(jax.random.key(0), (2, 8, 8, 3))
    shapes = jax.eval_shape(Pair(True).init, jax.random.key(1), images)
    rng = np.random.default_rng(0)
    variables = jax.tree.map(lambda leaf: jnp.asarray(rng.uniform(0.5, 1.5, leaf.shape), leaf.dtype), shapes)
    variables["params"]["BatchNorm_0"]["scale"] *= -1.0
    np.testing.assert_allclose(Pair(True).apply(variables, images), Pair(False).apply(variables, images), atol=2e-5)

    def passes(fold):
        """Operations that write every activation."""
        program = jax.make_jaxpr(Pair(fold).apply)(variables, images)
        return sum(eqn.outvars[0].aval.size == program.out_avals[0].size for eqn in program.eqns)

    assert passes(True) < passes(False)


@pytest.mark.parametrize("side", [8, 9])
def test_max_pool_and_its_derivative(side):
    x = jax.random.normal(jax.random.key(0), (2, side, side, 3))
    direction = jax.random.normal(jax.random.key(1), x.shape)
    got = jax.jvp(max_pool, (x,), (direction,))
    want = jax.jvp(lambda x: nn.max_pool(x, (2, 2), (2, 2)), (x,), (direction,))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)
    ties = jax.grad(lambda x: max_pool(x).sum())(jnp.ones((1, 4, 4, 1)))
    assert float(ties.sum()) == 4.0


def test_global_max_pool_and_its_derivative():
    x = jax.random.normal(jax.random.key(0), (2, 3, 3, 5))
    direction = jax.random.normal(jax.random.key(1), x.shape)
    got = jax.jvp(global_max_pool, (x,), (direction,))
    want = jax.jvp(lambda x: x.max(axis=(1, 2)), (x,), (direction,))
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)
    ties = jax.grad(lambda x: global_max_pool(x).sum())(jnp.ones((1, 3, 3, 2)))
    np.testing.assert_array_equal(ties.sum(axis=(1, 2)), [[1.0, 1.0]])
