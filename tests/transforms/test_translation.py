import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import check_transform, smooth_image
from gsmooth_jax.transforms import Translation


def test_contract():
    check_transform(Translation(), law_tolerance=0.0)


def test_rolls_down_and_right_by_the_nearest_whole_number():
    image = smooth_image((7, 9, 3))
    run = jax.jit(Translation())
    for dy, dx in ((0, 0), (2, -3), (-6, 8), (7, 40), (-100, -1)):
        for part in (-0.5, -0.2, 0.49):
            theta = jnp.array([dy + part, dx + part], jnp.float32)
            np.testing.assert_array_equal(run(image, theta), np.roll(image, (dy, dx), (0, 1)))


def test_whole_attacks_commute_with_rounding_also_at_halves():
    draws = np.random.default_rng(0).normal(0, 3, (200, 2)).astype(np.float32)
    draws[:20] = np.round(draws[:20]) + 0.5
    image, run = smooth_image((7, 9, 1)), jax.jit(jax.vmap(Translation(), in_axes=(None, 0)))
    moved_before = run(np.roll(image, (1, -2), (0, 1)), draws)
    np.testing.assert_array_equal(moved_before, run(image, draws + np.float32([1, -2])))


def test_representatives_are_the_whole_shifts():
    chosen = Translation().representatives((28, 28, 1), np.array([-1.0, 0.0]), np.array([1.0, 1.4]))
    np.testing.assert_array_equal(chosen, [[-1, 0], [-1, 1], [0, 0], [0, 1], [1, 0], [1, 1]])
    assert len(Translation().representatives((5, 4, 1), np.array([-8.0, -8.0]), np.array([8.0, 8.0]))) == 20
