"""Every rule: what the program computes from any point of a box is inside, and the box is no larger than it must be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy import special

from gsmooth_jax.methods.interval import elementwise
from gsmooth_jax.methods.interval.propagate import bounds
from gsmooth_jax.methods.interval.rules import KNOWN

N = 4000
TINY = 2.0**-118

FUNCTIONS = {
    "abs": (jnp.abs, -np.inf),
    "ceil": (jnp.ceil, -np.inf),
    "erf": (lax.erf, -np.inf),
    "erfc": (lax.erfc, -np.inf),
    "exp": (jnp.exp, -np.inf),
    "expm1": (jnp.expm1, -np.inf),
    "floor": (jnp.floor, -np.inf),
    "integer_pow 3": (lambda x: lax.integer_pow(x, 3), -np.inf),
    "integer_pow 4": (lambda x: lax.integer_pow(x, 4), -np.inf),
    "integer_pow -1": (lambda x: lax.integer_pow(x, -1), 1e-20),
    "integer_pow -2": (lambda x: lax.integer_pow(x, -2), 1e-20),
    "log": (jnp.log, 1e-20),
    "log1p": (jnp.log1p, -0.99),
    "logistic": (jax.nn.sigmoid, -np.inf),
    "neg": (jnp.negative, -np.inf),
    "round": (jnp.round, -np.inf),
    "rsqrt": (lax.rsqrt, 1e-20),
    "sign": (jnp.sign, -np.inf),
    "sqrt": (jnp.sqrt, 1e-20),
    "square": (jnp.square, -np.inf),
    "tanh": (jnp.tanh, -np.inf),
    "x * x": (lambda x: x * x, -np.inf),
    "constant / x": (lambda x: 3.0 / x, 1e-20),
    "x / constant": (lambda x: x / 3.0, -np.inf),
    "2 ^ x": (lambda x: jnp.power(jnp.float32(2.0), x), -np.inf),
    "x ^ 0.7": (lambda x: jnp.power(x, jnp.float32(0.7)), 1e-20),
}

"""name -> the function, and the number above which it is finite and as accurate as it can be."""

PAIRS = {
    "add": jnp.add,
    "sub": jnp.subtract,
    "mul": jnp.multiply,
    "div": jnp.divide,
    "max": jnp.maximum,
    "min": jnp.minimum,
    "pow": lambda x, y: jnp.power(jnp.abs(x) + 0.1, y),
    "select": lambda x, y: jnp.where(x > y, x, y - 1.0),
    "select 2": lambda x, y: jnp.where((x >= y) & ~(x <= 0.5) | (x < -2.0), x * y, jnp.where(x != y, y, -x)),
    "clamp": lambda x, y: lax.clamp(jnp.minimum(x, y), 0.5 * x, jnp.maximum(x, y) + 1.0),
}


def numbers(rng, count):
    """Float32 numbers of all magnitudes, with zeros, subnormal, tiny and huge ones."""
    scale = np.exp2(rng.choice([-149, -130, -126, -100, -20, -3, 0, 1, 4, 30, 100, 127], count).astype(np.float64))
    values = rng.choice([-1.0, 0.0, 1.0], count, p=[0.45, 0.05, 0.5]) * scale * rng.uniform(0.5, 1.0, count)
    return values.astype(np.float32)


def boxes(rng, count):
    """Corners of boxes from points to wide ones, and eight points in each, its corners among them."""
    a = numbers(rng, count).astype(np.float64)
    width = rng.choice([0.0, 1e-6, 0.1, 1.0], count) * np.where(rng.random(count) < 0.5, np.abs(a), 1.0)
    low, high = (v.clip(-3e38, 3e38).astype(np.float32) for v in (a, a + width))
    share = rng.random((6, count))
    inside = (low.astype(np.float64) * (1 - share) + high.astype(np.float64) * share).astype(np.float32)
    return low, high, np.concatenate([low[None], high[None], inside.clip(low, high)])


def check(function, low, high, points):
    """All results are inside; returns the ends."""
    lower, upper = (np.asarray(a) for a in jax.jit(lambda a, b: bounds(function, a, b))(low, high))
    for values in (jax.jit(jax.vmap(function))(points), jax.vmap(function)(points)):
        values = np.asarray(values)
        known = np.isfinite(lower) & np.isfinite(upper)
        assert (np.isneginf(lower) & np.isposinf(upper) | known).all()
        assert np.isfinite(values[:, known]).all()
        assert (values[:, known] >= lower[known]).all()
        assert (values[:, known] <= upper[known]).all()
    return lower, upper


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_one_number(name):
    function, least = FUNCTIONS[name]
    low, high, points = boxes(np.random.default_rng(0), N)
    lower, upper = check(function, low, high, points)
    ends = np.nan_to_num(jax.vmap(function)(points[:2]), nan=np.inf).astype(np.float64)
    known, size = np.isfinite(lower), np.abs(ends).max(axis=0)
    # Nothing is given up without need.
    assert known[(low > least) & (np.abs(low) < 2.0**30) & (np.abs(high) < 2.0**30) & (size < 2.0**100)].all()
    # A point's interval is a few units in the last place wide, and no end is far from what a corner reaches.
    ulps = 2.0**-23 * (6 * elementwise.ULPS.get(name, 8) + 8)
    # (A subnormal number may be taken for zero, which is far from it under ceil or sign.)
    normal = ((low == 0.0) | (np.abs(low) >= 2.0**-126)) & ((high == 0.0) | (np.abs(high) >= 2.0**-126))
    point = (low == high) & known & normal
    assert point.sum() > 100
    assert ((upper.astype(np.float64) - lower)[point] <= ulps * size[point] + TINY).all()
    ordinary = known & normal & np.isfinite(size) & (np.abs(low) < 30) & (np.abs(high) < 30)
    slack = (ulps * size + TINY)[ordinary]
    assert (upper[ordinary] <= ends.max(axis=0)[ordinary] + slack).all()
    if name not in ("abs", "square", "x * x", "integer_pow 4"):  # not monotone
        assert (lower[ordinary] >= ends.min(axis=0)[ordinary] - slack).all()


@pytest.mark.parametrize("name", PAIRS)
def test_functions_of_two_numbers(name):
    rng = np.random.default_rng(1)
    first, second = boxes(rng, N), boxes(rng, N)
    low, high, points = (np.stack([a, b], axis=-1) for a, b in zip(first, second, strict=True))
    points = np.concatenate([points, np.stack([first[2], second[2][[1, 0, 3, 2, 5, 4, 7, 6]]], axis=-1)])
    lower, upper = check(lambda x: PAIRS[name](x[..., 0], x[..., 1]), low, high, points)
    assert np.isfinite(lower[(np.abs(low) < 1e9).all(axis=1) & (np.abs(high) < 1e9).all(axis=1)]).mean() > 0.2
    point = (low == high).all(axis=1) & np.isfinite(lower)
    assert point.sum() > 20
    if name in ("add", "sub", "mul", "max", "min"):
        x, y = low[point].astype(np.float64).T
        size = np.abs(x * y) if name == "mul" else np.abs(x) + np.abs(y)
        normal = (np.minimum(np.abs(x), np.abs(y)) >= 2.0**-126) | (name != "mul")
        assert ((upper.astype(np.float64) - lower)[point] <= 2.0**-23 * 10 * size + TINY)[normal].all()


@pytest.mark.parametrize("name", PAIRS)
def test_a_smaller_box_has_no_wider_bounds(name):
    rng = np.random.default_rng(2)
    ends = np.sort(rng.normal(0, 2, (4, 500, 2)).astype(np.float32), axis=0)

    def function(x):
        return PAIRS[name](x[..., 0], x[..., 1])

    wide, narrow = (jax.jit(lambda a, b: bounds(function, a, b))(ends[i], ends[3 - i]) for i in (0, 1))
    assert (np.asarray(wide[0]) <= np.asarray(narrow[0])).all()
    assert (np.asarray(wide[1]) >= np.asarray(narrow[1])).all()


def test_known_boxes():
    """Hulls that can be told without a computer: each would change if ends were exchanged."""
    low, high = np.float32([[1.0, -3.0]]), np.float32([[2.0, 5.0]])

    def hull(function):
        lower, upper = (np.asarray(a).item() for a in bounds(function, low, high))
        return round(lower, 3), round(upper, 3)

    x, y = (lambda z: z[:, 0]), (lambda z: z[:, 1])
    assert hull(lambda z: -x(z)) == (-2, -1)
    assert hull(lambda z: -3.0 * y(z)) == (-15, 9)
    assert hull(lambda z: x(z) - y(z)) == (-4, 5)
    assert hull(lambda z: x(z) * y(z)) == (-6, 10)
    assert hull(lambda z: y(z) / x(z)) == (-3, 5)
    assert hull(lambda z: y(z) ** 2) == (0, 25)
    assert hull(lambda z: y(z) ** 3) == (-27, 125)
    assert hull(lambda z: 1.0 / x(z)) == (0.5, 1)
    assert hull(lambda z: jnp.abs(y(z))) == (0, 5)
    assert hull(lambda z: jnp.abs(-y(z))) == (0, 5)
    assert hull(lambda z: jnp.where(x(z) > 0.5, y(z), 99.0)) == (-3, 5)
    assert hull(lambda z: jnp.where(x(z) > 2.0, y(z), 99.0)) == (99, 99)
    assert hull(lambda z: jnp.where(x(z) >= 2.0, y(z), 99.0)) == (-3, 99)
    assert hull(lambda z: jnp.where(x(z) < 1.0, 7.0, 99.0)) == (99, 99)
    assert hull(lambda z: jnp.where(x(z) < 2.0, 7.0, 99.0)) == (7, 99)
    assert hull(lambda z: jnp.where(x(z) > 1.0, 7.0, 99.0)) == (7, 99)
    assert hull(lambda z: jnp.where(x(z) <= 1.0, 7.0, 99.0)) == (7, 99)
    assert hull(lambda z: jnp.where(x(z) == 3.0, 7.0, 99.0)) == (99, 99)
    assert hull(lambda z: jnp.where(x(z) != 3.0, 7.0, 99.0)) == (7, 7)
    assert hull(lambda z: jnp.where(jnp.isnan(x(z)), 7.0, 99.0)) == (99, 99)
    assert hull(lambda z: jnp.where(jnp.isfinite(x(z)), 7.0, 99.0)) == (7, 7)
    assert hull(lambda z: jnp.where(~(x(z) > 0.5), 7.0, 99.0)) == (99, 99)
    assert hull(lambda z: (y(z) > 0.0).astype(jnp.float32)) == (0, 1)
    assert hull(lambda z: z @ jnp.float32([2.0, -1.0])) == (-3, 7)
    assert hull(lambda z: jnp.float32([[2.0, -1.0]]) @ z.T) == (-3, 7)
    assert hull(lambda z: (z @ z.T)[:, 0]) == (-22.5, 29)  # 1.5^2 + 1^2, +- 0.5 (2 + 1.5) + 4 (5 + 1)
    assert hull(lambda z: z.sum(axis=1)) == (-2, 7)
    assert hull(lambda z: z.max(axis=1)) == (1, 5)
    assert hull(lambda z: z.min(axis=1)) == (-3, 2)
    assert hull(lambda z: lax.clamp(0.0, y(z), 2.0)) == (0, 2)
    assert hull(lambda z: jnp.pad(z, ((0, 0), (1, 1)), constant_values=-9.0).min(axis=1)) == (-9, -9)
    assert hull(lambda z: jnp.concatenate([z, 6.0 + z], axis=1)[:, ::-1][:, 0]) == (3, 11)
    assert hull(lambda z: z[:, jnp.array([1, 0])][:, 0]) == (-3, 5)


def test_functions_are_as_accurate_as_the_rules_take_them_to_be():
    """ULPS is at least twice the largest error that float64 can find."""
    rng = np.random.default_rng(3)
    x = np.concatenate([numbers(rng, 100_000), rng.normal(0, 4, 200_000), 1 + rng.normal(0, 1e-3, 100_000)])
    x = np.concatenate([x, rng.uniform(-90, 90, 100_000)]).astype(np.float32)
    x = np.where(np.abs(x) < 2.0**-126, 0.0, x)  # which is what a subnormal number may be taken for
    exact = {
        "erf": special.erf,
        "erfc": special.erfc,
        "exp": np.exp,
        "expm1": np.expm1,
        "log": np.log,
        "log1p": np.log1p,
        "logistic": special.expit,
        "rsqrt": lambda v: 1.0 / np.sqrt(v),
        "sqrt": np.sqrt,
        "tanh": np.tanh,
    }
    assert exact.keys() | {"pow"} == elementwise.ULPS.keys()

    def ulps(found, true):
        ordinary = np.isfinite(true) & (np.abs(true) < 2.0**125)
        assert np.isfinite(found[ordinary]).all()
        off = np.maximum(np.abs(found[ordinary].astype(np.float64) - true[ordinary]) - 2.0**-120, 0.0)
        return (off / np.maximum(np.abs(true[ordinary]) * 2.0**-23, 1e-300)).max()

    with np.errstate(all="ignore"):
        for name, function in exact.items():
            found = np.asarray(jax.jit(FUNCTIONS[name][0])(x))
            assert ulps(found, function(x.astype(np.float64))) <= elementwise.ULPS[name] / 2, name
        base, exponent = np.exp2(rng.uniform(-20, 20, 100_000)).astype(np.float32), x[200_000:300_000]
        found = np.asarray(jax.jit(jnp.power)(base, exponent))
        assert ulps(found, base.astype(np.float64) ** exponent.astype(np.float64)) <= elementwise.ULPS["pow"] / 2


SUMS = {
    "sum": lambda v, w: v.sum(axis=1),
    "dot": lambda v, w: v @ w[:, None],
    "dot by a constant": lambda v, w: w[None] @ v.T,
    "conv": lambda v, w: lax.conv_general_dilated(
        v[:, :, None], w[:, None, None], (1,), "VALID", dimension_numbers=("NWC", "WIO", "NWC")
    ),
    "windows": lambda v, w: lax.reduce_window(v, 0.0, lax.add, (1, len(w)), (1, len(w)), "VALID"),
}


@pytest.mark.parametrize("name", ["erf", "exp", "expm1", "log", "log1p", "logistic", "rsqrt", "sqrt", "tanh"])
def test_a_function_may_be_wrong_by_as_much_as_the_rules_take_it_to_be(name):
    exact = {"erf": special.erf, "logistic": special.expit, "rsqrt": lambda v: 1.0 / np.sqrt(v)}.get(name) or getattr(
        np, name
    )
    x = np.random.default_rng(5).uniform(0.1, 3.0, (1, 200)).astype(np.float32)
    lower, upper = (np.asarray(a, np.float64) for a in bounds(getattr(lax, name), x, x))
    values, wrong = exact(x.astype(np.float64)), elementwise.ULPS[name] * 2.0**-24
    assert (lower <= values - wrong * np.abs(values)).all()
    assert (upper >= values + wrong * np.abs(values)).all()


def test_a_conversion_rounds_or_leaves_it_for_later():
    x = np.float32([[1.001, -3.14, 0.1]])
    lower, upper = (np.asarray(a) for a in bounds(lambda v: v.astype(jnp.bfloat16).astype(jnp.float32), x, x))
    for values in (x, np.asarray(x.astype(jnp.bfloat16), np.float32)):
        assert (lower <= values).all()
        assert (values <= upper).all()


def test_additions_of_constants_may_be_regrouped():
    """(1 + c) + c is 1, and 1 + (c + c) is not."""
    c, one = np.float32(0.99 * 2.0**-24), np.ones((1, 1), np.float32)
    lower, upper = (np.asarray(a).item() for a in bounds(lambda x: (x + c) + c, one, one))
    assert lower <= 1.0 < np.float32(1.0) + (c + c) <= upper


@pytest.mark.parametrize("name", SUMS)
def test_sums_whose_roundings_add_up_are_inside(name):
    """After a 1, each term that is a little less than a unit is lost; before it, none is."""
    x = np.full(96, 0.99 * 2.0**-24, np.float32)
    x[0] = 1.0
    lower, upper = (np.asarray(a).item() for a in bounds(lambda v: SUMS[name](v, np.ones_like(x)), x[None], x[None]))
    in_order, backwards = (np.cumsum(terms, dtype=np.float32)[-1] for terms in (x, x[::-1]))
    assert in_order == 1.0
    assert backwards - in_order > 80 * 2.0**-24
    assert lower <= in_order < backwards <= upper


@pytest.mark.parametrize("name", SUMS)
def test_sums_are_inside_in_whatever_order_they_are_taken(name):
    rng = np.random.default_rng(4)
    n = 96
    x = (rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3, n)).astype(np.float32)
    w = rng.normal(size=n).astype(np.float32) if name in ("dot", "conv") else np.ones(n, np.float32)
    x[n // 2 :] = -x[: n // 2] * (w[: n // 2] / w[n // 2 :])  # they cancel, so that roundings are all that is left
    lower, upper = (np.asarray(a).item() for a in bounds(lambda v: SUMS[name](v, w), x[None], x[None]))
    products, reached = x * w, []
    for _ in range(300):
        order = rng.permutation(n)
        total = np.float32(0.0)
        for term in products[order]:
            total = total + term
        reached.append(total)
    assert lower <= min(reached) < max(reached) <= upper
    assert upper - lower < 4 * n * 2.0**-23 * np.abs(products).sum()
    exact = float(x.astype(np.float64) @ w.astype(np.float64))
    assert lower <= exact <= upper


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x,
        lambda x: -x,
        lambda x: 0.5 * x,
        lambda x: x + x,
        lambda x: x / 2.0,
        lambda x: abs(x),
        lambda x: x.reshape(1, 1),
        lambda x: x.sum(axis=1, keepdims=True),
        lambda x: x @ np.ones((1, 1), np.float32),
        lambda x: (1e30 * x) @ np.full((1, 1), 1e-30, np.float32),
        lambda x: (x - 1.2e-38) + 1.2e-38,
    ],
)
def test_results_that_are_flushed_to_zero_are_inside_and_those_that_are_not(function):
    for a in (1e-39, -2e-39, 1.2e-38, -1.2e-38, 3e-45, 0.0):
        point = np.full((1, 1), a, np.float32)
        lower, upper = (np.asarray(e).item() for e in bounds(function, point, point))
        exact = function(point.astype(np.float64)).item()
        assert lower <= exact <= upper
        if abs(exact) < 2.0**-126:
            assert lower <= 0.0 <= upper


def test_no_end_is_subnormal():
    low = np.float32([[1e-40, -1e-40, 1e-39, -3e-39]])
    lower, upper = (np.asarray(e) for e in bounds(jax.nn.relu, low, low + np.float32(1e-40)))
    for end in (lower, upper):
        assert ((end == 0.0) | (np.abs(end) >= np.float32(2.0**-126))).all()
    assert (lower >= 0.0).all()


def test_what_overflows_or_may_be_nan_is_unknown_and_stays_so():
    low, high = np.float32([[-1.0, 1e-30]]), np.float32([[3e38, 2e-30]])

    def ends(function):
        return tuple(np.asarray(a).ravel().tolist() for a in bounds(function, low, high))

    nothing = ([-np.inf], [np.inf])
    huge = lambda x: x[:, 0] * 3.0  # noqa: E731
    for function in (
        huge,
        lambda x: jnp.clip(huge(x) - huge(x), 0.0, 1.0),
        lambda x: jnp.sign(huge(x)),
        lambda x: jnp.tanh(huge(x)),
        lambda x: jax.nn.sigmoid(huge(x)),
        lambda x: 1.0 / huge(x),
        lambda x: jnp.exp(-jnp.abs(huge(x))),
        lambda x: jnp.where(huge(x) > -jnp.inf, huge(x), 0.0),
        lambda x: jnp.maximum(huge(x), 5.0),
        lambda x: lax.integer_pow(huge(x), 2),
        lambda x: jnp.abs(huge(x)),
        lambda x: jnp.power(2.0, huge(x)),
        lambda x: (huge(x)[:, None] @ jnp.zeros((1, 1)))[:, 0],
        lambda x: jnp.stack([huge(x), x[:, 1]], axis=1).sum(axis=1),
        lambda x: x[:, 1] / x[:, 0],
        lambda x: jnp.log(x[:, 0]),
        lambda x: jnp.sqrt(x[:, 0]),
        lambda x: lax.rsqrt(x[:, 0]),
        lambda x: lax.integer_pow(x[:, 1], -5),
        lambda x: x[:, 1] * jnp.inf,
        lambda x: x[:, 1] + jnp.nan,
        lambda x: x[:, 1:] @ jnp.full((1, 1), jnp.nan)[:, 0],
    ):
        assert ends(function) == nothing
    # So is what a sum may overflow with, in whatever order it is taken.
    assert ends(lambda x: x[:, 0]) == nothing
    # A comparison with it is open, and so is what it chooses.
    assert ends(lambda x: jnp.where(huge(x) >= -jnp.inf, 1.0, 2.0)) == ([1.0], [2.0])
    assert ends(lambda x: jnp.where(jnp.isfinite(huge(x)), 1.0, 2.0)) == ([1.0], [2.0])
    assert ends(lambda x: jnp.where(jnp.isnan(huge(x)), 1.0, 2.0)) == ([1.0], [2.0])
    assert ends(lambda x: jnp.where(huge(x) == huge(x), 1.0, 2.0)) == ([1.0], [2.0])
    # Elsewhere nothing is lost.
    assert np.isfinite(ends(lambda x: jnp.stack([huge(x), x[:, 1]], axis=1)[:, 1])).all()


def test_a_sum_that_may_overflow_on_its_way_is_unknown():
    large = np.repeat(np.float32([[3e37, -3e37]]), 50, axis=1)  # each of them is known
    for x in (np.float32([[2e38, 2e38, -2e38, -2e38]]), large):
        for function in (lambda v: v.sum(axis=1), lambda v: v @ jnp.ones((v.shape[1], 1))):
            lower, upper = bounds(function, x, x)
            assert np.isneginf(lower).all()
            assert np.isposinf(upper).all()


def test_boxes_upside_down_or_not_numbers_are_unknown():
    low, high = np.float32([[1.0, np.nan, 0.0]]), np.float32([[0.0, 1.0, 1.0]])
    lower, upper = bounds(lambda x: x, low, high)
    np.testing.assert_array_equal(np.isfinite(lower), [[False, False, True]])
    np.testing.assert_array_equal(np.isfinite(upper), [[False, False, True]])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: jnp.sort(x, axis=1), "'sort'"),
        (lambda x: lax.scan(lambda c, v: (c + v, c), jnp.zeros(3), x)[0], "'scan'"),
        (lambda x: x[jnp.argmax(x)], "'argmax'"),
        (lambda x: jnp.arange(3.0)[jnp.floor(x).astype(jnp.int32)], "'convert_element_type'.*int32"),
        (lambda x: x.astype(jnp.float16), "'convert_element_type'.*float16"),
        (lambda x: jnp.sin(x), "'sin'.*Known: abs, add"),
        (lambda x: x.astype(bool), "to bool"),
        (lambda x: lax.dot(x, jnp.ones((3, 2)), precision=lax.DotAlgorithmPreset.BF16_BF16_F32), "BF16_BF16_F32"),
    ],
)
def test_what_has_no_rule_is_named(function, message):
    with pytest.raises(ValueError, match=message):
        bounds(function, np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32))


def grown(x):
    """With ``add_any``, by which gradients are added up."""
    return jax.grad(lambda v: (v * v).sum())(x)


EACH = {
    "abs": jnp.abs,
    "add": lambda x: x + 0.3,
    "add_any": grown,
    "and": lambda x: ((x > 0.1) & (x < 1.0)).astype(jnp.float32),
    "broadcast_in_dim": lambda x: jnp.broadcast_to(x[:, None], (4, 2, 6, 6, 3)),
    "ceil": jnp.ceil,
    "clamp": lambda x: lax.clamp(-0.5, x, 0.5),
    "concatenate": lambda x: jnp.concatenate([x, jnp.ones((4, 6, 6, 1)), x], axis=3),
    "conv_general_dilated": lambda x: lax.conv_general_dilated(
        x, KERNEL, (2, 1), ((1, 0), (2, 1)), lhs_dilation=(1, 2), rhs_dilation=(2, 1), dimension_numbers=NHWC
    ),
    "convert_element_type": lambda x: (x > 0.0).astype(jnp.float32),
    "copy": lambda x: jnp.array(x, copy=True),
    "div": lambda x: x / (2.0 + x * x),
    "dot_general": lambda x: jnp.einsum("bhwc,bkwc->bhk", x, x[:, 2:]),
    "dynamic_slice": lambda x: lax.dynamic_slice(x, (1, 0, 2, 0), (2, 6, 3, 3)),
    "eq": lambda x: (jnp.round(x) == 1.0).astype(jnp.float32),
    "erf": lax.erf,
    "erfc": lax.erfc,
    "exp": jnp.exp,
    "expm1": jnp.expm1,
    "floor": jnp.floor,
    "gather": lambda x: x[:, jnp.array([2, 0, 5])],
    "ge": lambda x: (x >= 0.2).astype(jnp.float32),
    "gt": lambda x: (x > 0.2).astype(jnp.float32),
    "integer_pow": lambda x: x**3,
    "iota": lambda x: x[:, 0, 0] + lax.broadcasted_iota(jnp.float32, (4, 3), 1),
    "is_finite": lambda x: jnp.where(jnp.isfinite(x), x, 0.0),
    "le": lambda x: (x <= 0.2).astype(jnp.float32),
    "log": lambda x: jnp.log(x + 9.0),
    "log1p": lambda x: jnp.log1p(x * x),
    "logistic": jax.nn.sigmoid,
    "lt": lambda x: (x < 0.2).astype(jnp.float32),
    "max": jax.nn.relu,
    "min": lambda x: jnp.minimum(x, 0.3),
    "mul": lambda x: -1.7 * x,
    "ne": lambda x: (jnp.round(x) != 1.0).astype(jnp.float32),
    "neg": jnp.negative,
    "not": lambda x: (~(x > 0.2)).astype(jnp.float32),
    "or": lambda x: ((x > 0.1) | (x < -1.0)).astype(jnp.float32),
    "pad": lambda x: jnp.pad(x, ((0, 0), (1, 2), (0, 0), (0, 0)), constant_values=0.3),
    "pow": lambda x: jnp.power(x + 9.0, x),
    "reduce_and": lambda x: (x > -1.0).all(axis=(1, 2)).astype(jnp.float32),
    "reduce_max": lambda x: x.max(axis=(1, 2)),
    "reduce_min": lambda x: x.min(axis=(1, 2)),
    "reduce_or": lambda x: (x > 1.0).any(axis=(1, 2)).astype(jnp.float32),
    "reduce_sum": lambda x: x.sum(axis=(1, 3)),
    "reduce_window_max": lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 2, 1), (1, 2, 2, 1), "SAME"),
    "reduce_window_min": lambda x: lax.reduce_window(x, jnp.inf, lax.min, (1, 3, 2, 1), (1, 2, 2, 1), "VALID"),
    "reduce_window_sum": lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 3, 2, 1), (1, 2, 2, 1), "SAME"),
    "reshape": lambda x: x.reshape(4, 9, 12),
    "rev": lambda x: x[:, ::-1],
    "round": jnp.round,
    "rsqrt": lambda x: lax.rsqrt(x * x + 0.1),
    "select_n": lambda x: jnp.where(x > 0.0, x, 0.2 * x),
    "sign": jnp.sign,
    "slice": lambda x: x[:, 1::2, :4],
    "split": lambda x: jnp.split(x, [2, 3], axis=1)[2],
    "sqrt": lambda x: jnp.sqrt(jnp.abs(x)),
    "square": jnp.square,
    "squeeze": lambda x: x[:, 0],
    "stack": lambda x: jnp.stack([x, 2.0 * x], axis=2),
    "stop_gradient": lax.stop_gradient,
    "sub": lambda x: 0.3 - x,
    "tanh": jnp.tanh,
    "tile": lambda x: jnp.tile(x, (1, 2, 1, 1)),
    "transpose": lambda x: x.transpose(0, 3, 1, 2),
    "unstack": lambda x: jnp.unstack(x, axis=1)[2],
}
NHWC = ("NHWC", "HWIO", "NHWC")
KERNEL = np.random.default_rng(7).normal(size=(3, 2, 3, 5)).astype(np.float32)


@pytest.mark.parametrize("name", sorted(EACH))
def test_each_primitive_inside_a_program(name):
    rng = np.random.default_rng(6)
    function = EACH[name]
    middle = rng.normal(0, 1, (4, 6, 6, 3)).astype(np.float32)
    assert f" {name}[" in (text := str(jax.make_jaxpr(function)(middle))) or f" {name} " in text
    widths = []
    for half in (0.0, 1e-3, 0.1, 1.0):
        low, high = (middle - np.float32(half)), (middle + np.float32(half))
        inside = rng.uniform(low, high, (30, *low.shape)).astype(np.float32).clip(low, high)
        corners = np.where(rng.random((30, *low.shape)) < 0.5, low, high)
        lower, upper = check(function, low, high, np.concatenate([inside, corners, low[None], high[None]]))
        assert np.isfinite(lower).all()
        widths.append(np.mean(upper - lower))
    assert widths[0] < 2e-4
    assert widths == sorted(widths)


def test_every_rule_is_among_them():
    assert EACH.keys() == KNOWN
