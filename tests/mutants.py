"""Faults that the tests have to find: ``python tests/mutants.py [--only NAME] [--jobs N]``.

A mutant is the package with one text changed: a factor dropped, an inequality turned round, a rounding that is not
outward, a check skipped. For each one the package is copied to a temporary folder, changed there, and the tests are run
that should fail. Each of them is part of the default run of the tests.

Mutants that change nothing a test could see are listed too, with the reason, and are not run.
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "gsmooth_jax"
LONGEST = 600
"""Seconds that the tests of one mutant may take."""


class Mutant(NamedTuple):
    """One change of the package.

    Attributes:
      name: file and what is wrong.
      file: what is changed, from the package's folder on.
      old: a text that the file holds once.
      new: what takes its place.
      tests: files or single tests, from the folder of tests on, one of which has to fail.
      same: why it is no fault: nothing that is computed, or nothing that is claimed, changes. Empty for a fault.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    same: str = ""


def within(file: str, tests: str | Sequence[str], *changes: tuple[str, ...]) -> Iterator[Mutant]:
    """The mutants of one file: (what is wrong, old text, new text), and the tests where they are other ones."""
    for what, old, new, *others in changes:
        found = others[0] if others else tests
        yield Mutant(f"{file}: {what}", file, old, new, (found,) if isinstance(found, str) else tuple(found))


def alike(file: str, what: str, old: str, new: str, because: str) -> Mutant:
    """A mutant that is no fault."""
    return Mutant(f"{file}: {what}", file, old, new, same=because)


# fmt: off
SURVIVED = [
    # Those of the tests' first trial that no test had found.
    *within(
        "transforms/composition.py",
        [
            "transforms/test_composition.py::test_contract_and_proved_bounds[brightness|contrast]",
            "transforms/test_composition.py::test_contract_and_proved_bounds[brightness|clip]",
            "transforms/test_composition.py::test_what_a_stage_drives_apart_the_next_ones_see",
            "transforms/test_composition.py::test_one_stage_has_its_own_law",
        ],
        ("a later stage drives earlier ones apart by nothing", "[apart * bounds, own]", "[bounds, own]"),
        ("a bound does not grow with the image", "own = own + growth * reached", "own = own + 0.0 * growth * reached"),
        ("an offset stays one in earlier stages", "dataclasses.replace(p, offset=False) for", "p for"),
    ),
    *within(
        "surrogate/lipschitz.py", "surrogate/test_lipschitz.py",
        ("the border is not padded", "padded = [n + k - 1 for n, k", "padded = [max(n, k) for n, k"),
    ),
    *within(
        "methods/cover/geometry.py", "methods/cover/test_rounding.py",
        ("nine tenths of a rounding", "return self.noise.lipschitz_upper * np.minimum(np",
         "return 0.9 * self.noise.lipschitz_upper * np.minimum(np"),
        ("no entry that is rounded moves", "gone = gaps * (jump / left)", "gone = 0.0 * gaps * (jump / left)"),
    ),
    *within(
        "methods/prover.py", "methods/test_prover.py",
        ("the draws of the selection are tested",
         "draws = Draws(poll.centre, self._image_id, centre_id, keys.ESTIMATE,",
         "draws = Draws(poll.centre, self._image_id, centre_id, keys.SELECT,"),
    ),
    *within(
        "methods/coverage.py", "methods/test_coverage.py",
        ("neighbours of two levels prove together", "(before.centre_id + 1, before.level) == (h.centre_id, h.level)",
         "before.centre_id + 1 == h.centre_id"),
        ("of a region in too many pieces only one half is looked at",
         "boxes_cover(low, left, lows, highs, ball) and boxes_cover(right, high, lows, highs, ball)",
         "boxes_cover(low, left, lows, highs, ball)"),
        ("the next larger region is reported", "size = sizes[found - 1]", "size = sizes[min(found, len(sizes) - 1)]"),
    ),
    *within(
        "transforms/_cells.py", "transforms/test_float32.py::test_positions_are_within_the_slack_of_c3",
        ("no slack", "return 1e-5 * max(h, w)", "return 0.0 * max(h, w)"),
    ),
    *within(
        "transforms/_norm.py", "transforms/test_norm.py",
        ("a norm is not rounded up", " * (1.0 + 1e-5 + entries.size * 2.0**-25)", ""),
    ),
    *within(
        "methods/gsmooth.py", "methods/test_gsmooth.py::test_of_two_parameters_the_corner_of_a_cell_counts",
        ("a cell's corner is as far as its side", "math.ceil(speed * math.sqrt(len(half)) *", "math.ceil(speed *"),
    ),
    *within(
        "methods/gsmooth.py", "methods/test_gsmooth.py::test_what_the_votes_prove_of_a_smaller_region_is_the_radius",
        ("cells that have not passed count for the radius", "largest(evidence.passed, g.region) if",
         "largest(found, g.region) if"),
    ),
]

LIPSCHITZ = [
    *within(
        "transforms/composition.py",
        [
            "transforms/test_composition.py::test_contract_and_proved_bounds[brightness|contrast]",
            "transforms/test_composition.py::test_contract_and_proved_bounds[brightness|clip]",
            "transforms/test_composition.py::test_what_a_stage_drives_apart_the_next_ones_see",
            "transforms/test_composition.py::test_one_stage_has_its_own_law",
        ],
        ("a stage does not widen the ball", "radius = apart * reached + jnp.sum(", "radius = reached + jnp.sum("),
        ("a stage adds nothing to the ball", "reached + jnp.sum(own * half)",
         "reached + 0.0 * jnp.sum(own * half)"),
        ("half of the half widths", "middle - low) * (1.0 + 1e-6)", "middle - low) * 0.5"),
        ("the ball's centre is a corner", "middle = 0.5 * (low + high)\n    return middle, jnp.maximum(high",
         "middle = low\n    return middle, 0.5 * jnp.maximum(high"),
        ("every composition has its first stage's law", "1:\n            return self.stages[0].group",
         "len(self.stages):\n            return self.stages[0].group",
         "transforms/test_composition.py::test_stages_without_a_law_are_named"),
        ("float32 is forgotten from stage to stage", "stage.float32_upper(image, low[part]",
         "stage.float32_upper(image.then(image.low, image.high, 0.0), low[part]",
         "transforms/test_float32.py::test_stages_hand_on_their_errors"),
    ),
    *within(
        "transforms/_norm.py", "transforms/test_norm.py",
        ("long sums are exact", "1e-5 + entries.size * 2.0**-25", "1e-5"),
        ("entries are exact", "(1.0 + 1e-5 + entries.size", "(1.0 + entries.size"),
        ("speeds are not rounded up", "return speeds * (1.0 + 1e-5)", "return speeds * 1.0"),
    ),
    *within(
        "transforms/_cells.py", "transforms/test_cells.py",
        ("boxes have no margin below", "jnp.maximum(y0, y1) + margin", "jnp.maximum(y0, y1)"),
        ("a block ends one cell early", "y1, x1 = y1 + 1 - (1 << level_y)", "y1, x1 = y1 - (1 << level_y)"),
        ("a position lies in the cell before", "jnp.floor(position) + 1.0", "jnp.floor(position)"),
        ("the smaller of two slopes", "jnp.maximum(dy[:, :-1], dy[:, 1:])", "jnp.minimum(dy[:, :-1], dy[:, 1:])"),
        ("a slope's range is no range", "jnp.abs(v) * d_slope + dv", "dv"),
        ("a velocity's range meets one slope", "dv * (jnp.abs(slope) + d_slope)", "dv * jnp.abs(slope)"),
        ("what changes along x does not count", "+ rest_y + rest_x", "+ rest_y"),
        ("nothing is black outside", "most, jnp.maximum(most, 0.0))", "most, most)"),
    ),
    *within(
        "transforms/rotation.py",
        "transforms/test_rotation.py::test_an_image_jumps_where_a_lit_pixel_leaves_the_canvas_and_only_there",
        ("arcs are chords", "_radius(h, w, off_centre) * sagitta + _cells.slack(h, w))", "_cells.slack(h, w))",
         "transforms/test_rotation.py::test_contract"),
        ("a turn and a half is no way", "2.0 * jnp.sin(0.5 * half) ** 2, 2.0)",
         "2.0 * jnp.sin(0.5 * half) ** 2, 0.0)",
         "transforms/test_rotation.py::test_more_than_a_turn_is_as_fast_as_any_part_of_it"),
        ("velocities turn the wrong way", "(left, right), (-bottom, -top))", "(left, right), (top, bottom))",
         "transforms/test_rotation.py::test_contract"),
        ("no image jumps", "jnp.where(_jumps(image, low[0], high[0], convention.canvas), jnp.inf, speed)", "speed"),
        ("nothing jumps on the right", "(image[:, -1], (arcs.left <= x)", "(image[:, 0], (arcs.left <= x)"),
        ("grey pixels do not jump", "jnp.any(lit != 0.0, axis=0)", "jnp.any(lit > 0.9, axis=0)"),
    ),
    *within(
        "transforms/scaling.py", "transforms/test_scaling.py",
        ("sources move as in the largest image", "/ smallest**2", "/ largest**2"),
        ("a source stays where it is first", "_cells.spanned(ys / smallest, ys / largest,",
         "_cells.spanned(ys / largest, ys / largest,"),
    ),
    *within(
        "transforms/zoom_blur.py", "transforms/test_zoom_blur.py",
        ("frames stay at the box's end", "1.0 + low[0] * share, 1.0 + high[0] * share)\n\n    return",
         "1.0 + high[0] * share, 1.0 + high[0] * share)\n\n    return"),
    ),
    *within(
        "transforms/rotational_blur.py", "transforms/test_rotational_blur.py",
        ("frames stay at the box's end", "low[0] * share, high[0] * share)", "low[0] * share, low[0] * share)"),
        ("frames do not turn", "return share * rotation.speed_upper", "return share**2 * rotation.speed_upper"),
    ),
    *within(
        "transforms/gaussian_blur.py", "transforms/test_gaussian_blur.py",
        ("the speed falls faster", "(half * jnp.exp(-low[0] * half)))[None]",
         "(half * jnp.exp(-1.1 * low[0] * half)))[None]"),
        ("a spectrum's range is no range", "0.5 * (most - least) + 1e-6 * half", "1e-6 * half"),
    ),
    *within(
        "transforms/defocus_blur.py", "transforms/test_defocus_blur.py",
        ("a piece has the speed of its end", "jnp.clip(first - start, 0.0, stop - start)", "(stop - start)"),
        ("pieces that the box only touches do not count", "stop >= first - 1e-5", "stop >= last - 1e-5"),
    ),
    *within(
        "transforms/motion_blur.py", "transforms/test_motion_blur.py",
        ("a frame moves half as far", "return shift.difference_norms(image) * float(",
         "return 0.5 * shift.difference_norms(image) * float("),
    ),
    *within(
        "transforms/shift.py", "transforms/test_shift.py",
        ("what leaves does not count", "ring = jnp.pad(image, ((1, 1), (1, 1), (0, 0)))", "ring = image"),
        ("entries that darken do not move", "steepest[:, :, :2].max(axis=2)", "steepest[:, :, :1].max(axis=2)"),
    ),
    *within(
        "transforms/contrast.py", "transforms/test_contrast.py",
        ("the image at contrast 0", "(jnp.exp(high[0]) * norm_upper(image))[None]", "norm_upper(image)[None]"),
        ("it drives no images apart", "return factor[0], factor", "return jnp.ones_like(factor[0]), factor",
         ["transforms/test_composition.py::test_contract_and_proved_bounds[brightness|contrast]",
         "transforms/test_composition.py::test_contract_and_proved_bounds[brightness|clip]",
         "transforms/test_composition.py::test_what_a_stage_drives_apart_the_next_ones_see",
         "transforms/test_composition.py::test_one_stage_has_its_own_law"]),
    ),
    *within(
        "transforms/brightness_contrast.py", "transforms/test_brightness_contrast.py",
        ("the brightest image is the fastest", "jnp.maximum(norm_upper(image + low[1]), norm_upper(image + high[1]))",
         "norm_upper(image + high[1])"),
        ("the brightest entry is the fastest", "jnp.maximum(jnp.abs(image + low[1]), jnp.abs(image + high[1]))",
         "jnp.abs(image + high[1])"),
    ),
    *within(
        "transforms/gamma.py", "transforms/test_gamma.py",
        ("entries above 1 are fastest when dark", "jnp.where(image > 1.0, darkest,",
         "jnp.where(image > 1.0, brightest,"),
        ("the fastest is an end", "jnp.clip(math.exp(-1.0), darkest, brightest)", "brightest"),
    ),
    *within(
        "transforms/volume.py", "transforms/test_volume.py",
        ("the signal at 0 dB", "(_PER_DB * jnp.exp(_PER_DB * high[0]) * norm_upper(image))",
         "(_PER_DB * norm_upper(image))"),
    ),
    *within(
        "transforms/hue.py", "transforms/test_hue.py",
        ("colours do not grow", "jnp.full_like(high, math.radians(1.0) * (1.0 + 1e-6))", "0.0 * high"),
        ("no entry of a colour leaves it by much", "math.sqrt(2.0 / 3.0) * length", "math.sqrt(1.0 / 3.0) * length"),
    ),
    *within(
        "transforms/saturation.py", "transforms/test_saturation.py",
        ("grey is orthogonal", "_OBLIQUE = 3.0 * sum(w * w for w in _LUMA)", "_OBLIQUE = 1.0"),
        ("the worse end is the stronger", "return jnp.max(apart) *", "return apart[1] *"),
    ),
    *within(
        "transforms/clip.py", "transforms/test_float32.py::test_errors_grow_with_what_is_done_to_them",
        ("entries at an end have no error", "image.entry + ends, image.error", "ends, image.error"),
    ),
    *within(
        "transforms/pixelate.py", "transforms/test_pixelate.py",
        ("a value is not listed", "np.arange(2, n + 1) / n for", "np.arange(3, n + 1) / n for"),
    ),
    *within(
        "transforms/translation.py", "transforms/test_translation.py",
        ("the last shift is not listed", "min(int(last - first) + 1, n)", "min(int(last - first), n)"),
    ),
    *within(
        "surrogate/lipschitz.py", "surrogate/test_lipschitz.py",
        ("a spectrum is not rounded up", "_OUTWARD = 1.0 + 1e-5", "_OUTWARD = 1.0"),
        ("the mean of the frequencies", "axis=(-2, -1)).max())", "axis=(-2, -1)).mean())"),
        ("F2 adds no image", "(1.0 + math.prod(layer.norm", "(math.prod(layer.norm"),
        ("sums of one term", "terms=math.prod(kernel.shape[:3]) + 1", "terms=1"),
        ("a bias moves one entry", "bias=bias * math.sqrt(math.prod(image_shape[:2]))", "bias=bias"),
        ("layers forget the errors of others", "reached, error = most, layer.norm * error + own",
         "reached, error = most, own"),
        ("layers do not magnify errors", "layer.norm * error + own", "error + own"),
        ("weights need not be finite", "if not np.isfinite(kernel).all():", "if False:"),
    ),
]

FLOATS = [
    *within(
        "transforms/float32.py",
        "transforms/test_float32.py::test_elementary_functions_are_as_exact_as_they_are_taken_to_be",
        ("half a unit", "UNIT = 2.0**-24", "UNIT = 2.0**-25",
         "transforms/test_float32.py::test_half_of_the_distance_between_neighbours"),
        ("sines are exact", "SINE = 4 * UNIT", "SINE = 0.5 * UNIT"),
        ("exponentials are exact", "EXPONENTIAL = 8 * UNIT", "EXPONENTIAL = 0.5 * UNIT"),
        ("e^x - 1 is exact", "EXPM1 = 16 * UNIT", "EXPM1 = 0.5 * UNIT"),
        ("a quarter of the distance between neighbours", "return UNIT * 2.0**exponent",
         "return 0.5 * UNIT * 2.0**exponent",
         "transforms/test_float32.py::test_half_of_the_distance_between_neighbours"),
        ("sums have no partial sums", "* 0.5 * ((terms + 1) * absolute + (terms - 1) * signed)", "* absolute",
         "transforms/test_float32.py::test_a_product_of_long_sums_errs_no_further"),
        ("positions are exact", "MARGIN * (px * (high - low) + units", "MARGIN * (units",
         "transforms/test_float32.py::test_no_error_exceeds_its_bound_and_no_bound_is_idle[rotation]"),
        ("nothing is black outside", "low, high = min(image.low, 0.0), max(image.high, 0.0)",
         "low, high = image.low, image.high",
         "transforms/test_float32.py::test_no_error_exceeds_its_bound_and_no_bound_is_idle[shift]"),
        ("an image that is read has no error", "error = math.sqrt(image.size) * image.entry +", "error =",
         "transforms/test_float32.py::test_what_is_read_has_the_errors_of_its_image"),
        ("reads are exact", "px * (high - low) + units * UNIT * image.largest", "px * (high - low)",
         ["transforms/test_float32.py::test_no_error_exceeds_its_bound_and_no_bound_is_idle[scaling]",
         "transforms/test_float32.py::test_what_is_read_has_the_errors_of_its_image"]),
    ),
    *within(
        "transforms/rotation.py", "transforms/test_float32.py::test_positions_are_as_wrong_as_their_model_allows",
        ("an angle is exact", "wrong = turn * math.sqrt(2.0) * radius + (y + x)", "wrong = (y + x)",
         "transforms/test_float32.py::test_positions_of_an_angle_that_is_wrong_already"),
        ("sines are exact", "+ (y + x) * sines", "+ 0.0 * (y + x) * sines"),
        ("centres are added exactly", "return wrong + sum(float32.half_ulp",
         "return wrong + 0.0 * sum(float32.half_ulp"),
    ),
    *within(
        "transforms/scaling.py",
        "transforms/test_float32.py::test_no_error_exceeds_its_bound_and_no_bound_is_idle[scaling]",
        ("ratios are exact", "wrong = read * (roundings * float32.UNIT + float32.division())", "wrong = 0.0 * read"),
        ("as in the largest image", "position_errors(image.shape, 1.0 + low[0], 1.0)",
         "position_errors(image.shape, 1.0 + high[0], 1.0)",
         "transforms/test_float32.py::test_a_larger_box_has_no_smaller_bound"),
    ),
    *within(
        "transforms/_dct.py",
        "transforms/test_float32.py::test_a_transform_and_its_inverse_are_as_wrong_as_what_they_are_given_is_long",
        ("the inverse is exact", "(factor + back + float32.UNIT * norm)",
         "(factor + float32.UNIT * norm)"),
        ("the spectrum is exact", "factor = change * there + off", "factor = off"),
    ),
    *within(
        "transforms/quantize.py",
        "transforms/test_float32.py::test_a_rounding_goes_no_further_than_its_jump_and_its_bound",
        ("ties go one way", "either = int(np.sum(np.abs(place - np.rint(place)) <= 2 * own * self.density))",
         "either = 0"),
        ("places are exact", "own = float32.MARGIN * units", "own = 0.0 * units"),
        ("entries move a quarter of a level", "return (0.5 if self.rounding", "return (0.25 if self.rounding",
         "transforms/test_quantize.py"),
        ("down takes in all of a level", "else self.jump - self._tolerance", "else self.jump",
         "transforms/test_quantize.py"),
    ),
    *within(
        "transforms/contrast.py", "transforms/test_float32.py::test_errors_grow_with_what_is_done_to_them",
        ("its factor magnifies no error", "+ 1, factor=gain)", "+ 1)"),
        ("it is as exact as a product", "units=float32.EXPONENTIAL / float32.UNIT + 1,", "units=1,",
         "transforms/test_float32.py::test_no_error_exceeds_its_bound_and_no_bound_is_idle[contrast]"),
    ),
    *within(
        "computed.py", "transforms/test_float32.py::test_errors_grow_with_what_is_done_to_them",
        ("errors are not handed on", "entry, error = factor * self.entry + own, factor * self.error +",
         "entry, error = own,"),
        ("an image errs as one entry", "factor * self.error + math.sqrt(self.size) * own",
         "factor * self.error + own",
         "transforms/test_float32.py::test_no_error_exceeds_its_bound_and_no_bound_is_idle[brightness]"),
        ("subnormal numbers stay", "max(abs(low), abs(high)) + 2.0**-126", "max(abs(low), abs(high))",
         "transforms/test_float32.py::test_a_result_below_the_normal_numbers_may_become_zero"),
    ),
]

ESTIMATION = [
    *within(
        "estimation/bounds.py", "estimation/test_bounds.py",
        ("a lower bound of half a failure less", "m - s + 1.0, alpha)", "m - s + 0.5, alpha)"),
        ("an upper bound of half a success less", "betainccinv(s + 1.0,", "betainccinv(s + 0.5,"),
        ("a lower bound is not rounded down", "bound * (1.0 - _OUTWARD)", "bound"),
        ("an upper bound is not rounded up", "np.minimum(bound * (1.0 + _OUTWARD), 1.0)", "bound"),
        ("the top class takes all of alpha", "proportion_lower(votes[top], n, alpha / 2.0)",
         "proportion_lower(votes[top], n, alpha)"),
        ("the others share no alpha", "alpha / (2.0 * others.size)", "alpha / 2.0"),
        ("the others take what the top class takes", "alpha / (2.0 * others.size)", "alpha / others.size"),
        ("any other class is the runner-up", "others.max(), n", "others.min(), n"),
        ("one vote too few", "return high\n\n\ndef _counts", "return max(high - 1, 1)\n\n\ndef _counts"),
    ),
    *within(
        "estimation/sequential.py", "estimation/test_sequential.py",
        ("another prior", "a, b = s + 0.5, n - s + 0.5", "a, b = s + 1.0, n - s + 1.0"),
        ("the prior is not restricted", "- log_prior - s * log_t", "- s * log_t"),
        ("the posterior is not restricted", "special.betaln(a, b) + log_tail -", "special.betaln(a, b) -"),
        ("alpha is spent by halves of a look", "np.where(above, _MARGIN - math.log(alpha),",
         "np.where(above, _MARGIN - math.log(2.0 * alpha),"),
        ("a decision has no margin", "_MARGIN = 1e-6", "_MARGIN = 0.0"),
        ("what futility may cost, a claim may", "_MARGIN - math.log(alpha), _MARGIN - math.log(futility)",
         "_MARGIN - math.log(futility), _MARGIN - math.log(futility)"),
        ("giving up is tested at the same threshold", "np.where(above, threshold, 1.0 - threshold)", "threshold"),
        ("a bound is rounded up", "    return low\n\n\ndef checked_counts", "    return high\n\n\ndef checked_counts"),
        ("a bound at twice alpha", "level = _MARGIN - math.log(alpha)", "level = _MARGIN - math.log(2.0 * alpha)"),
        ("counts may be broken", "(s % 1 == 0) & ", "", "estimation/test_bounds.py"),
        ("more successes than draws", "(s >= 0) & (s <= m) & ", "(s >= 0) & "),
    ),
    *within(
        "estimation/keys.py", "estimation/test_votes.py",
        ("phases draw the same", "ESTIMATE: Final = 1", "ESTIMATE: Final = 0"),
        ("images draw the same", "jax.random.fold_in(jax.random.fold_in(run_key, image_id), centre_id)",
         "jax.random.fold_in(run_key, centre_id)"),
        ("centres draw the same", "jax.random.fold_in(jax.random.fold_in(run_key, image_id), centre_id)",
         "jax.random.fold_in(run_key, image_id)"),
    ),
    *within(
        "estimation/votes.py", "estimation/test_votes.py",
        ("one draw too many", "(index < rows.stop[:, None])", "(index <= rows.stop[:, None])"),
        ("logits need not be finite", "choice = jnp.where(finite, jnp.argmin(-logits, axis=-1), classes)",
         "choice = jnp.argmin(-logits, axis=-1)"),
        ("one finite logit is enough", "jnp.isfinite(logits).all(axis=-1)", "jnp.isfinite(logits).any(axis=-1)"),
    ),
]

CERTIFICATES = [
    *within(
        "certificates/search.py",
        [
            "certificates/test_search.py",
            "certificates/test_resolvable.py",
            "certificates/test_brightness_contrast.py",
        ],
        ("a threshold is rounded down", "    return p\n", "    return -math.expm1(out_of_reach)\n"),
        ("a radius is rounded up", "if certified(middle) else (low, middle)\n    return low",
         "if certified(middle) else (low, middle)\n    return high"),
        ("bounds that cross have a radius", "if settle(p_lower, p_upper) is None:\n        return 0.0",
         "if False:\n        return 0.0"),
        ("an estimate is taken as it is", "if low == 0.0 or certified(low):", "if True:"),
    ),
    *within(
        "certificates/_shifts.py", "certificates/test_resolvable.py",
        ("one corner of a box", "return bounding_box(region).corners()", "return bounding_box(region).corners()[-1:]"),
        ("any law has the normal law's balls", "if isinstance(law, Gaussian | LogNormal):", "if True:"),
        ("a cube is a ball", "if isinstance(region, Ball) and region.p < math.inf:", "if isinstance(region, Ball):"),
        ("an L1 ball has no shifts to the left", "np.concatenate([axes, -axes])", "axes"),
        ("the first parameter is the worst", "region.radius * np.eye(region.dim or 1)",
         "region.radius * np.eye(region.dim or 1)[:1]"),
        ("draws may leave the range", "if low + support[0] < param.low or high + support[1] > param.high:",
         "if False:"),
        ("regions may leave the range", "if low < param.low or high > param.high:", "if False:"),
    ),
    *within(
        "smoothing/soap_l2.py", "smoothing/test_soap_l2.py",
        ("the length of another dimension", "0.5 * (dim - jnp.float32(self.k))",
         "0.5 * (dim - 1 - jnp.float32(self.k))"),
        ("the width is taken twice", "/ self.sigma * (1.0 + _host.GUARD)", "/ self.sigma**2 * (1.0 + _host.GUARD)"),
        ("the attacked law is the clean one", "for at in (t, -t)", "for at in (t, t)"),
        ("the pole counts half", "step = (k * np.log1p(u)", "step = (0.5 * k * np.log1p(u)"),
        ("a wider angle", "0.5 * (dim - 1), cosine**2", "0.5 * dim, cosine**2"),
        ("an image may have any size", "if dim != self.dim:", "if False:"),
    ),
    *within(
        "smoothing/soap_linf.py", "smoothing/test_soap_linf.py",
        ("the curve has no error", "    return needed(float(chosen.x), fresh) * (1.0 + _host.GUARD)",
         "    return 0.5 * math.exp(-chosen.x) + np.maximum(1.0 - np.exp(fresh - chosen.x), 0.0).mean()"),
        ("a shift is as long as its mean", "np.abs(_host.shift_vector(shift, self.dim)).max()",
         "np.abs(_host.shift_vector(shift, self.dim)).mean()"),
        ("a radius is rounded up", "math.ceil(_STEPS * math.log2", "math.floor(_STEPS * math.log2"),
        ("the largest entry is not moved", "moved = np.maximum(largest - side, side - least)",
         "moved = np.maximum(largest, -least)"),
        ("the others are not cut off", "kept = np.abs(tried) < ends[left]", "kept = np.abs(tried) < 9.0"),
    ),
    *within(
        "methods/closed_form.py", "smoothing/test_soap_linf.py",
        ("the law's curve costs nothing", 'return g.alpha - getattr(method.smoothing, "level", 0.0)', "return g.alpha"),
    ),
    *within(
        "certificates/additive.py", "certificates/test_additive.py",
        ("any law", "if type(law) not in _NORMS or (isinstance(law, Gaussian) and isinstance(law.sigma, tuple)):",
         "if False:"),
        ("a half of the ball", "np.array([ball.radius])", "np.array([0.5 * ball.radius])"),
        ("a law has all norms", "if ball.p not in known:", "if False:"),
        ("the worst of a cube is along an axis",
         "if ball.p == 1.0 or (ball.p == 2.0 and isinstance(law, Gaussian)):", "if True:"),
        ("the worst of an L2 ball is along an axis",
         "if ball.p == 1.0 or (ball.p == 2.0 and isinstance(law, Gaussian)):", "if ball.p <= 2.0:"),
        ("a cube's corner is as far as its side", "0.0 if ball.p == math.inf else -0.5", "-0.5"),
    ),
    *within(
        "regions.py", "certificates/test_resolvable.py",
        ("half a pixel is a region", "if param.whole and not (float(low).is_integer() and float(high).is_integer()):",
         "if False:"),
    ),
    *within(
        "certificates/multiplicative.py", "certificates/test_multiplicative.py",
        ("laws that draw no factor", 'if law.acts != "multiplicative":', "if False:"),
        ("parameters that are no logarithms", "or not all(p.log for p in transform.params)", ""),
        ("some of the shifts", "return all(law.certifies", "return any(law.certifies"),
    ),
    *within(
        "certificates/resolvable.py", "certificates/test_resolvable.py",
        ("transforms without a law", 'if transform.group != "additive":', "if False:"),
        ("laws that draw factors", 'if law.acts != "additive":', "if False:"),
        ("some of the shifts", "return all(law.certifies", "return any(law.certifies"),
    ),
    *within(
        "certificates/brightness_contrast.py", "certificates/test_brightness_contrast.py",
        ("the slack of both powers for each", "return 0.5 * (1.0 - power", "return 1.0 * (1.0 - power"),
        ("one power", "(power if p_upper == 1.0 - p_lower else curve.power_upper(p_upper))", "0.0"),
        ("darker is not worse", "max(-box.low[1], box.high[1])", "box.high[1]"),
    ),
    *within(
        "certificates/_covering.py", "certificates/test_brightness_contrast.py",
        ("one end", "for end in (low, high)]\n    if min", "for end in (high, high)]\n    if min"),
        ("intervals of twice the width", "pending += [(left, middle - radius), (middle + radius, right)]",
         "pending += [(left, middle - 2 * radius), (middle + 2 * radius, right)]"),
        ("points that fail are passed over", "if radius <= 0.0:\n            return False",
         "if radius <= 0.0:\n            continue"),
        ("not all of the interval", "            return False\n        pending +=",
         "            return False\n        pending = "),
    ),
    *within(
        "certificates/composition.py", "certificates/test_composition.py",
        ("the slack of both powers for each", "return 0.5 * (1.0 - power", "return 1.0 * (1.0 - power"),
        ("one power", "(power if sizes[0] == sizes[1] else curve.power_upper(sizes[1]))", "0.0"),
        ("a blur costs nothing", "math.exp(min(attack.blur, 700.0))", "1.0"),
        ("a blur costs nothing beside normal shifts", "math.exp(min(attack.blur * (1.0 + GUARD), 700.0))", "1.0"),
        ("half the normal shift", "2.0 * attack.rho * (1.0 + GUARD)", "attack.rho * (1.0 + GUARD)"),
        ("other shifts do not join the factor's", "math.hypot(k / factor.sigma, attack.rho)", "k / factor.sigma"),
        ("other shifts do not join what is rescaled", "_rescaled.Curve(factor, k, attack.beta, attack.rho)",
         "_rescaled.Curve(factor, k, attack.beta, 0.0)"),
        ("the upper end is the larger", "[max(-low, high) for low, high in", "[high for low, high in"),
        ("a factor without its range", "and not found.behind:  # one normal", "and True:  # one normal"),
        ("any number of standard deviations is the first", "law.sigma[index]", "law.sigma[0]"),
        ("another transform's certificate", "if transform != self.transform:", "if False:"),
        ("a blur under any law", "if not isinstance(one, Exponential):", "if False:"),
        ("the one speed for the other", "speed = _joint.total_variation_speed(attack.factor.sigma)", "speed = 1e-3",
         "certificates/test_composition.py::test_brightness_then_contrast_is_the_joint_theorem"),
    ),
    *within(
        "certificates/_rescaled.py", "certificates/test_composition.py",
        ("half the speed", "return 0.5 * (self.factor.speed +", "return 0.25 * (self.factor.speed +"),
        ("what is rescaled has no speed", "* self.beta * self.factor.mean) * (1.0 + 1e-9)",
         "* 0.0 * self.beta * self.factor.mean) * (1.0 + 1e-9)"),
        ("draws rescale nothing", "length = np.hypot(self.beta * np.exp(r - self.k), rho)",
         "length = np.hypot(self.beta, rho) + 0.0 * r"),
        ("the attacked factor is the clean one", "r = u + law * self.k", "r = u + 0.0 * law"),
        ("the attack's factor rescales too", "self.beta * np.exp(r - self.k), rho)", "self.beta * np.exp(r), rho)"),
        ("a coarse rule", "_SPACING = 0.8 ", "_SPACING = 8.0 "),
        ("tiny attacks cost nothing", "return min(1.0, size + variation)", "return size",
         "certificates/test_composition.py::test_an_attack_too_small_for_the_quadrature_is_not_free"),
    ),
    *within(
        "transforms/_group.py", "transforms/test_composition.py::"
        "test_what_two_parameters_do_one_after_the_other_a_third_one_does",
        ("a factor in front divides", "jnp.exp(second[f]) * first[s]", "jnp.exp(-second[f]) * first[s]"),
        ("a factor behind multiplies", "jnp.exp(-first[f]) * second[s]", "jnp.exp(first[f]) * second[s]"),
        ("any border", 'blur.border == "cyclic" for blur', 'True for blur',
         "transforms/test_composition.py::test_stages_without_a_law_are_named"),
    ),
    *within(
        "pytrees.py", "test_pytrees.py",
        ("JAX's own registration",
         "jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)",
         "jax.tree_util.register_dataclass(cls)"),
        ("static fields are no structure", "for name in traced), tuple(getattr(value, name) for name in static)",
         "for name in traced), ()"),
        ("only the outermost class is looked at", "return next(filter(None, map(mistaken, children)), None)",
         "return None"),
    ),
    *within(
        "methods/arguments.py", "test_pytrees.py",
        ("a mistaken class passes", "    pytrees.check(**{name: part})\n", ""),
    ),
    *within(
        "engine/device.py", "test_pytrees.py",
        ("a vote of a mistaken class passes",
         "        pytrees.check(vote=vote)  # also one of somebody's own method\n", ""),
    ),
    *within(
        "models/normalize.py", "models/test_normalize.py",
        ("the window is not in the spectrum", "passed = jnp.exp(-variance * half) * jnp.asarray(window, image.dtype)",
         "passed = jnp.exp(-variance * half)"),
        ("sharpness of amplitudes, not of energies", "logarithms - 2.0 * middle * half", "logarithms - middle * half"),
    ),
    *within(
        "smoothing/product.py", "smoothing/test_product.py",
        ("any number of laws", "if len(stages) != len(self.laws):", "if False:"),
        ("a factor for any parameter", 'if law.acts == "multiplicative" and', "if False and"),
    ),
    *within(
        "certificates/_joint.py", "certificates/test_brightness_contrast.py",
        ("the power of a smaller test", "return min(1.0, curve.tail(1, c) + slack + QUADRATURE_MARGIN)",
         "return min(1.0, curve.tail(1, c))"),
        ("the attacked variance is the clean one", "else (self.beta + x * math.exp(-self.k), self.kappa)",
         "else (self.beta + x, self.kappa)"),
        ("the variance does not count", "above = h + (self.kappa * mean_z - 0.5 * self.kappa**2 + self.k - c)",
         "above = h + (self.kappa * mean_z - 0.5 * self.kappa**2 - c)"),
        ("tiny attacks cost nothing", "return min(1.0, size + variation)", "return size"),
        ("half the speed", "return 0.5 * float(weights @ mean_abs)", "return 0.25 * float(weights @ mean_abs)"),
    ),
    *within(
        "smoothing/_host.py", ["smoothing/test_host.py", "smoothing/test_uniform.py", "smoothing/test_gaussian.py"],
        ("twice the radius", "return 0.5 * float(upper_tail - special.ndtri(p_upper))",
         "return float(upper_tail - special.ndtri(p_upper))"),
        ("a tie is won", "if p_lower > p_upper else None", "if p_lower >= p_upper else None",
         "certificates/test_resolvable.py"),
        ("the end of a bisection that failed", "if certified(middle) else (low, middle)\n    return low",
         "if certified(middle) else (low, middle)\n    return high"),
        ("no guard", "GUARD = 1e-10", "GUARD = 0.0"),
    ),
    *within(
        "smoothing/gaussian.py", "smoothing/test_gaussian.py",
        ("a box of standard deviations", "np.linalg.norm(vector / np.asarray(sigma, dtype=np.float64))",
         "np.abs(vector / np.asarray(sigma, dtype=np.float64)).max()"),
    ),
    *within(
        "smoothing/laplace.py", "smoothing/test_laplace.py",
        ("the L2 norm", "float(np.abs(_host.shift_vector(shift)).sum())",
         "float(np.linalg.norm(_host.shift_vector(shift)))"),
        ("both quantiles twice", "return 0.5 * float(self.scale) *", "return float(self.scale) *"),
    ),
    *within(
        "smoothing/uniform.py", "smoothing/test_uniform.py",
        ("what is lost is lost once", "2.0 * lost * (1.0 + _host.GUARD)", "lost * (1.0 + _host.GUARD)"),
    ),
    *within(
        "smoothing/exponential.py", "smoothing/test_exponential.py",
        ("left is right", "return float(self.scale) * math.log1p(settled[0] - settled[1])",
         "return -float(self.scale) * math.log((1.0 - settled[0]) + settled[1])"),
        ("what leaves the support is free", "math.expm1(negative) + (1.0 - gap)", "(1.0 - gap)"),
    ),
    *within(
        "smoothing/folded_gaussian.py", "smoothing/test_folded_gaussian.py",
        ("left is right", "lambda d: _cdf(ends[0] + d) + _cdf(ends[1] + d) < 1.0)",
         "lambda d: _cdf(ends[0] + d) < 0.5)"),
    ),
    *within(
        "smoothing/rayleigh.py", "smoothing/test_rayleigh.py",
        ("right is left", "_power(1.0 - settled[0], -d) + _power(settled[1], -d) < 1.0",
         "_power(1.0 - settled[1], d) + _power(settled[0], d) > 1.0"),
    ),
    *within(
        "smoothing/noise.py", "smoothing/test_noise.py",
        ("brightness pays twice", "rest -= self.brightness * paid", "rest -= 2 * self.brightness * paid"),
        ("brightness is free", "        return seen\n", "        return seen * (np.arange(seen.shape[1]) > 0)\n"),
        ("an offset costs less in large images", "(self.sigma**2 + entries * self.brightness**2) ** -0.5",
         "(entries * (self.sigma**2 + self.brightness**2)) ** -0.5"),
        ("one entry's draw lacks what all do", "apart = entries * rounded_normal(*own)[1]",
         "apart = rounded_normal(*own)[1]"),
        ("the common draw is as exact as it gets", "apart += rounded_normal(brightness, step)[1] + shared_upper(",
         "apart += 0.0 * shared_upper("),
        ("a grid takes no latent anywhere", "return 0.5 * spacing(self.sigma)", "return 0.0 * spacing(self.sigma)"),
        ("latents are not rounded", "return jnp.round(images * density) * step", "return images"),
        ("attacks see a flat grid", "return _nearest(*primals), tangents[0]",
         "return _nearest(*primals), 0.0 * tangents[0]"),
        ("a common draw on a grid of its own", "coarse = max(fine, spacing(self.brightness))",
         "coarse = spacing(self.brightness)"),
    ),
    *within(
        "smoothing/rounded_normal.py", "smoothing/test_rounded_normal.py",
        ("what is beyond the table is nothing", "+ 2.0 * float(tails[1])", ""),
        ("the table is the law", "apart = np.abs(counts / _UNITS - mass).sum() + error", "apart = 0.0"),
        ("a word too many is kept", "words[..., 1] < keep", "words[..., 1] <= keep"),
        ("small columns keep half", "keep[column], other[column] = left[column], giver",
         "keep[column], other[column] = left[column] // 2, giver"),
        ("cells begin at their middle", "np.arange(-_HALF, 1) - 0.5)", "np.arange(-_HALF, 1) - 0.0)"),
        ("shifts of all entries are not seen", "math.exp(0.5 * root**2) * root**2 / math.sqrt(8.0)", "0.0 * root"),
    ),
    *within(
        "surrogate/noise.py", "surrogate/test_noise.py",
        ("the parameter's noise is free", "np.concatenate([scaled, ", "np.concatenate([0 * scaled, "),
        ("the encoder is the identity", "return self._encoder_upper / self.sigma", "return 1.0 / self.sigma"),
    ),
]

METHODS = [
    *within(
        "methods/coverage.py", "methods/test_coverage.py",
        ("any two that share prove together", "(before.centre_id + 1, before.level) == (h.centre_id, h.level)",
         "before.level == h.level"),
        ("neighbours prove what either holds",
         "tuple(map(max, before.low, h.low)), tuple(map(min, before.high, h.high))",
         "tuple(map(min, before.low, h.low)), tuple(map(max, before.high, h.high))"),
        ("the ends of chains prove their face", "all(a < b or c == d for a, b, c, d",
         "all(a <= b or c == d for a, b, c, d"),
        ("two neighbours hold the input", "a <= 0.0 < b or (b == 0.0 and", "a <= 0.0 <= b or (b == 0.0 and"),
        ("small gaps are passed over", "if low > reached:", "if low > reached + 0.3:"),
        ("the last end is not asked", "return reached >= region.high", "return True"),
        ("a part's end may lie behind", "reached = max(reached, high)", "reached = high"),
        ("a flat region is covered from beside it", "(highs > low), (lows <= high) & (highs >= low))",
         "(highs > low), lows < np.inf)"),
        ("of a ball only the middles", "_distance(left, right, ball) > ball.radius",
         "_distance(0.5 * (left + right), 0.5 * (left + right), ball) > ball.radius"),
        ("pieces on the ball's surface do not count", "_distance(left, right, ball) > ball.radius",
         "_distance(left, right, ball) > 0.99 * ball.radius"),
        ("a piece counts twice", "stop = np.stack([np.searchsorted(f, b)",
         "stop = np.stack([np.searchsorted(f, b) + 1"),
        ("one part is always left", "return bool(marked.all())", "return bool(marked.any())"),
        ("parts overlap by their inside alone", "c < b or a == c or b == d", "c < a or a == c or b == d"),
        ("the next part is not looked at", "np.triu(both, 1)", "np.triu(both, 2)"),
        ("nothing overlaps in the last parameter", "for a, b in zip(low.T, high.T, strict=True):\n        # Equal",
         "for a, b in zip(low.T[:1], high.T[:1], strict=True):\n        # Equal"),
    ),
    *within(
        "methods/closed_form.py", ["methods/test_prover.py", "methods/test_verifier.py"],
        ("every other class takes half of alpha", "0, half / len(others), ~k)", "0, half, ~k)"),
        ("the class takes all of alpha", "half, others = 0.5 * level,", "half, others = 1.0 * level,"),
        ("draws without an answer are no class",
         "others = 0.5 * level, [k for k in range(len(selection)) if k != top]",
         "others = 0.5 * level, [k for k in range(len(selection) - 1) if k != top]"),
        ("no answer may win", "top = int(np.argmax(selection[:-1]))\n    if g.test",
         "top = int(np.argmax(selection))\n    if g.test"),
        ("the weakest of the others is the runner-up", "min(map(evidence.lower, others))",
         "max(map(evidence.lower, others))"),
        ("another class, level or centre will do",
         "if says._replace(successes=0, votes=0, threshold=follows.threshold) != follows:", "if False:"),
        ("any threshold will do", "if abs(says.threshold - follows.threshold) > 1e-9 * follows.threshold:",
         "if False:"),
        ("counts need not add up", "if found[1:] and found[0].successes + against != votes:", "if False:"),
        ("more votes than were allowed", "if votes > g.max_votes:\n        faults", "if False:\n        faults"),
        ("a fixed test may stop", 'if g.test != "sequential" and votes not in (0, g.max_votes):', "if False:"),
        ("some of the hypotheses", "if len(found) != len(asked):", "if False:"),
        ("an answer without a majority", "Answer(top.event) if p_lower > p_upper else None", "Answer(top.event)"),
    ),
    *within(
        "methods/prover.py", "methods/test_prover.py",
        ("draws are counted twice", "start = poll.hypotheses[0].votes\n", "start = 0\n"),
        ("blocks overlap", "stop = min(start + step, poll.limit)", "stop = min(start + step + 1, poll.limit)"),
        ("more votes than were allowed", "min(start + step, poll.limit)", "start + step"),
        ("a contrary counts all votes again", "else stop - h.votes - int(counts[~h.event])",
         "else stop - int(counts[~h.event])"),
        ("a contrary is the event", "if h.event >= 0 else stop - h.votes - int(counts[~h.event])",
         "if h.event >= 0 else int(counts[~h.event])"),
        ("votes that are shared count for each", "sum(alone.values()) + sum(pooled.values())",
         "sum(h.votes for h in hypotheses) + sum(pooled.values())"),
        ("selection draws cost nothing",
         "votes=selected(ballots.selection, guarantee) + votes_of(", "votes=votes_of("),
        ("all that were asked have passed", 'if tests.decide(h) == "certified")', "if True)"),
        ("what is not rejected has passed", 'if tests.decide(h) == "certified")', 'if tests.decide(h) != "rejected")'),
        ("foreign parts are proved", '"conditional" if assumes and method.status == "proved" else method.status',
         "method.status"),
        ("pilots draw the same", "Draws(centre, self._image_id, n, keys.SELECT",
         "Draws(centre, self._image_id, 0, keys.SELECT"),
    ),
    *within(
        "methods/tests.py", "methods/test_tests.py",
        ("levels are remembered alike", "(hypothesis.successes, hypothesis.votes, hypothesis.level), {})",
         "(hypothesis.successes, hypothesis.votes, 0.0), {})"),
        ("votes are remembered alike", "(hypothesis.successes, hypothesis.votes, hypothesis.level), {})",
         "(hypothesis.successes, 0, hypothesis.level), {})"),
        ("what passed once passes above", '-math.inf if decision == "certified" else min(least, threshold)',
         'min(least, threshold) if decision == "certified" else -math.inf'),
        ("a level of nothing passes", "if h.level <= 0.0 or h.threshold >= 1.0:", "if h.threshold >= 1.0:"),
        ("a threshold of 1 passes", "if h.level <= 0.0 or h.threshold >= 1.0:", "if h.level <= 0.0:"),
        ("a fixed test is looked at early", "passes = h.votes == g.max_votes and self.lower(h)",
         "passes = self.lower(h)"),
        ("a fixed test passes at its threshold", "self.lower(h) > h.threshold", "self.lower(h) >= h.threshold - 0.01"),
        ("one of what was computed is enough", "h.votes > 0 and h.successes == h.votes", "h.votes > 0"),
        ("nothing was computed", "h.votes > 0 and h.successes == h.votes", "h.successes == h.votes"),
        ("a bound is the threshold", 'return max(bound, h.threshold) if self.decide(h) == "certified" else bound',
         "return max(bound, h.threshold)"),
    ),
    *within(
        "methods/verifier.py", "methods/test_verifier.py",
        ("counts of the selection",
         "if any(type(count) is not int or not 0 <= count <= most for count in claim.selection):", "if False:"),
        ("votes for a centre that are counted twice", "if len({(h.centre_id, h.event)",
         "if False and len({(h.centre_id, h.event)"),
        ("votes of a centre that differ", "if len({(h.centre_id, h.votes)", "if False and len({(h.centre_id, h.votes)"),
        ("corners the wrong way round", "and all(a <= b for a, b in zip(h.low, h.high, strict=True))", ""),
        ("levels beyond alpha", "default=0.0)) > guarantee.alpha:", "default=0.0)) > 1.0:"),
        ("thresholds below 0", "and 0.0 <= h.threshold <= 1.0", "and h.threshold <= 1.0"),
        ("more successes than votes", "and 0 <= h.successes <= h.votes", "and 0 <= h.successes"),
        ("events that there are not", "and (not events or -events <= h.event < events)", ""),
        ("numbers that are not whole", "and set(map(type, whole)) == {int}", ""),
        ("radii to three digits", "rel_tol=1e-9, abs_tol=1e-12", "rel_tol=1e-3, abs_tol=1e-12"),
        ("what the method finds", "yield from conclusion.faults", "yield from ()"),
        ("certified", '"certified": (claim.certified, conclusion.certified),', ""),
        ("statement", '"statement": (claim.statement, conclusion.statement),', ""),
        ("radius", '"radius": (claim.radius, conclusion.radius),', ""),
        ("alpha", '"alpha": (claim.alpha, prover.alpha(ledger, guarantee)),', ""),
        ("ledger", '"ledger": (claim.ledger, ledger),', ""),
        ("status",
         '"status": (claim.status, "conditional" if assumes and method.status == "proved" else method.status),', ""),
        ("assumes", '"assumes": (claim.assumes, assumes),', ""),
        ("votes", "            prover.selected(claim.selection, guarantee) + prover.votes_of(",
         "            claim.votes or prover.votes_of("),
    ),
    *within(
        "methods/base.py", "methods/test_verifier.py",
        ("selections of any size", "if total == guarantee.selection_votes or", "if total >= 0 or"),
        ("no answer may be chosen", "total, top = sum(selection), int(np.argmax(selection[:-1]))",
         "total, top = sum(selection), int(np.argmax(selection))"),
        ("votes beyond the counter", "_validate.at_most(2**31 - self.block,", "_validate.at_most(2**40 - self.block,",
         "test_bad_input.py"),
        ("alpha may be anything", "_validate.probability(alpha=self.alpha, futility",
         "_validate.probability(futility", "test_bad_input.py"),
    ),
    *within(
        "methods/gsmooth.py",
        [
            "methods/test_gsmooth.py::test_its_distance_is_m_star_times_the_half_width",
            "methods/test_gsmooth.py::test_tampered_evidence_is_found",
        ],
        ("a cell reaches half as far", "half = 0.5 * (highs[0] - lows[0])", "half = 0.25 * (highs[0] - lows[0])"),
        ("the smallest of the speeds", "np.linalg.eigvalsh(grams)[:, -1].max()",
         "np.linalg.eigvalsh(grams)[:, -1].min()"),
        ("cells of several sizes", "if len({h.threshold for h in found}) > 1:", "if False:"),
        ("more votes than were allowed", "if any(h.votes > g.max_votes for h in found):", "if False:"),
        ("some of the cells", "certified = covered(evidence.passed, g.region)", "certified = covered(found, g.region)"),
        ("the image is tested beside the cells", "elif h.centre_id == len(cells) - 1 and len(found) > 1:",
         "elif False:", "results/test_verify.py::test_the_image_is_not_tested_beside_the_cells"),
        ("distances are rounded down", "distance = math.ceil(", "distance = math.floor("),
        ("a threshold is not rounded up", "special.ndtr(distance * (1.0 + 1e-9))", "special.ndtr(distance)",
         "methods/test_gsmooth.py::test_a_threshold_is_rounded_up"),
    ),
    *within(
        "surrogate/jacobian.py",
        "surrogate/test_noise.py::test_the_gram_matrix_the_dense_jacobian_and_power_iteration_agree",
        ("what the parameter's noise makes up for is taken twice", "rest = moved - jnp.tensordot",
         "rest = moved - 2 * jnp.tensordot"),
        ("the parameter is free", "return change / noise.scales, rest / noise.sigma",
         "return 0.0 * change / noise.scales, rest / noise.sigma"),
    ),
    *within(
        "methods/median.py", "methods/test_median.py",
        ("numbers that are not finite are large", "[finite & (numbers >= levels),",
         "[(~finite | (numbers >= levels)),"),
        ("numbers that are not finite are small", "finite & (numbers <= levels),", "(~finite | (numbers <= levels)),"),
        ("an end one step further in", "Interval(ends[lower[0]] if lower",
         "Interval(ends[min(lower[0] + 1, count - 1)] if lower"),
        ("of two ends one may be left out",
         "if len(lower) > 1 or len(upper) > 1 or len(lower) + len(upper) < len(events):",
         "if len(lower) + len(upper) < len(events):"),
        ("ends that the device did not compare with", "ends = self.thresholds.astype(float).tolist()",
         "ends = np.linspace(self.low, self.high, self.steps + 1).tolist()"),
        ("another class's confidence", "jax.nn.softmax(numbers, axis=-1)[..., self.output]",
         "jax.nn.softmax(numbers, axis=-1)[..., 0]"),
    ),
    *within(
        "methods/random_parameter.py", "methods/test_cc_cert.py",
        ("a half of the region is drawn from", "drawn = low + share * (high - low)",
         "drawn = low + 0.5 * share * (high - low)"),
        ("the last whole number is not drawn", "share * (high - low + 1.0)", "share * (high - low)"),
        ("a ball's inside is drawn too often", "jax.random.uniform(length) ** (1.0 / dim)",
         "jax.random.uniform(length)"),
        ("factors are not", "log = jnp.array([p.log for p in self.transform.params])",
         "log = jnp.array([False for p in self.transform.params])"),
        ("Z is rounded down", "distance = jnp.ceil(", "distance = jnp.floor("),
        ("d is the whole margin", "jnp.floor(0.5 * (first - second)", "jnp.floor((first - second)"),
    ),
    *within(
        "methods/cc_cert.py", "methods/test_cc_cert.py",
        ("of the batches the least", "float(np.max(least))", "float(np.min(least))"),
        ("the mean is taken for what it should reach", " - math.log(_SHARE)", ""),
        ("draws without finite logits are forgotten", "distances[:, -1] += g.block - finite", "distances[:, -1] += 0"),
        ("counted, they are no change", "counts.get(CHANGED, 0) + guarantee.max_votes - finite",
         "counts.get(CHANGED, 0)"),
        ("an answer may change anywhere", "> distances[:, margins[0] :].sum(axis=1)", "> g.block"),
        ("the estimate is called proved", '"proved" if self.bound == "counted" else "statistical"', '"proved"'),
        ("it has a radius", "return Conclusion(found, certified, 0.0)",
         "return Conclusion(found, certified, guarantee.region.size)"),
        ("it assumes nothing", 'if self.bound == "counted":\n            return ()', "if True:\n            return ()"),
    ),
    *within(
        "methods/enumerate.py", "methods/test_enumerate.py",
        ("the last value is not tried", "np.floor(b + 0.5) + 1)", "np.floor(b + 0.5))"),
        ("a ball has no cells beyond its radius", "kept = nearest <= region.radius",
         "kept = np.linalg.norm(points, axis=1) <= region.radius"),
        ("any answer is the same", "same = int(answer == top)", "same = 1"),
        ("logits need not be finite",
         "jnp.where(jnp.isfinite(logits).all(axis=-1), jnp.argmax(logits, axis=-1), logits.shape[-1])",
         "jnp.argmax(logits, axis=-1)"),
        ("what was drawn was computed", "(h.threshold, h.level) != (0.5, 0.0) or not h.low", "not h.low"),
        ("some of the values", "certified = covered(evidence.passed, region)", "certified = covered(found, region)"),
        ("stages that move too", "return moving[0] if len(moving) == 1 and isinstance",
         "return moving[-1] if moving and isinstance"),
        ("the region may leave the range", "        check_range(transform, *_ends(region, count))\n", ""),
        ("several answers", "if len(events) > 1 or any(", "if any("),
    ),
    *within(
        "methods/interval/images.py", "methods/interval/test_images.py::test_no_entry_leaves_its_bounds[rotation0]",
        ("boxes have half their width", "half = jnp.maximum(high - middle, middle - low)",
         "half = 0.5 * jnp.maximum(high - middle, middle - low)"),
        ("float32 moves nothing", "value, gap = stage(image, middle), way + error",
         "value, gap = stage(image, middle), way",
         "methods/interval/test_images.py::test_no_entry_leaves_its_bounds[gaussian_blur]"),
        ("the adversary's program errs as ours", "return 2 * before.float32_upper", "return before.float32_upper",
         "methods/interval/test_images.py::test_two_programs_may_be_wrong_to_either_side"),
        ("one of the values among them", "found = sealed(lower - error, upper + error)",
         "found = sealed(lower - error, lower + error)",
         "methods/interval/test_images.py::test_hulls_hold_the_values_among_them"),
        ("values have no error", "found = sealed(lower - error, upper + error)", "found = sealed(lower, upper)",
         "methods/interval/test_images.py::test_hulls_allow_for_the_error_that_they_are_given"),
    ),
    *within(
        "methods/interval/intervals.py", "methods/interval/test_rules.py::test_no_end_is_subnormal",
        ("subnormal ends", "return jnp.where(subnormal, jnp.where(bits < 0, if_negative, if_positive), x)", "return x"),
        ("results are exact", "share += 2 * UNIT", "share *= 0.0",
         "methods/interval/test_rules.py::test_functions_of_one_number[erf]"),
        ("what overflows is known", "sure = (lower > -LARGE) & (upper < LARGE)",
         "sure = (lower > -jnp.inf) & (upper < jnp.inf)",
         "methods/interval/test_rules.py::test_what_overflows_or_may_be_nan_is_unknown_and_stays_so"),
        ("half of an interval", "radius = jnp.maximum(x.upper - middle, middle - x.lower)",
         "radius = 0.5 * jnp.maximum(x.upper - middle, middle - x.lower)",
         "methods/interval/test_rules.py::test_known_boxes"),
        ("one rounding a sum", "return terms * unit / (1.0 - terms * unit)", "return unit / (1.0 - unit)",
         "methods/interval/test_rules.py::test_sums_whose_roundings_add_up_are_inside"),
        ("results are not flushed", "TINY = 2.0**-120", "TINY = 0.0",
         ["methods/interval/test_rules.py::test_results_that_are_flushed_to_zero_are_inside_and_those_that_are_not",
         "methods/interval/test_rules.py::test_functions_of_two_numbers[mul]"]),
    ),
    *within(
        "methods/interval/elementwise.py", "methods/interval/test_rules.py::test_known_boxes",
        ("sums are exact", "error = _share(eqn) * (largest(a) + largest(b)) + TINY\n",
         "error = 0.0 * (largest(a) + largest(b))\n",
         "methods/interval/test_rules.py::test_additions_of_constants_may_be_regrouped"),
        ("products at two corners", "corners = [x * y for x in (a.lower, a.upper) for y in (b.lower, b.upper)]",
         "corners = [a.lower * b.lower, a.upper * b.upper]"),
        ("divisors may be 0", "sure = (b.lower > 0.0) | (b.upper < 0.0)", "sure = b.lower <= b.upper",
         "methods/interval/test_rules.py::test_functions_of_two_numbers[div]"),
        ("even powers rise", "base = magnitude(eqn, x) if y % 2 == 0 else x", "base = x"),
        ("every function rises", "if increasing else (x.upper, x.lower)", "if True else (x.upper, x.lower)",
         "methods/interval/test_rules.py::test_functions_of_one_number[erfc]"),
        ("functions are exact", "out = rounded(low, high, 4 * ULPS[eqn.primitive.name] * UNIT + 2 * unit(eqn))",
         "out = rounded(low, high, 0.0)",
         "methods/interval/test_rules.py::test_a_function_may_be_wrong_by_as_much_as_the_rules_take_it_to_be"),
        ("what is less may be equal", "certain, possible = a.upper < b.lower, a.lower < b.upper",
         "certain, possible = a.upper <= b.lower, a.lower < b.upper"),
        ("a choice is made at once", "jnp.where(which.lower, y, jnp.where(which.upper, e, n))",
         "jnp.where(which.lower, y, n)"),
        ("conversions are exact", "return rounded(x.lower, x.upper, UNITS[target])", "return x",
         "methods/interval/test_rules.py::test_a_conversion_rounds_or_leaves_it_for_later"),
        ("a magnitude is an end", "jnp.maximum(jnp.maximum(x.lower, -x.upper), 0.0), largest(x)",
         "jnp.maximum(jnp.maximum(x.lower, -x.upper), 0.0), jnp.abs(x.upper)"),
    ),
    *within(
        "methods/interval/sums.py", "methods/interval/test_rules.py::test_sums_whose_roundings_add_up_are_inside",
        ("of two intervals one", "radius = radius + magnitudes(jnp.abs(middle_a), radius_b)", "pass",
         "methods/interval/test_rules.py::test_known_boxes"),
        ("products are exact", "radius = magnitudes(radius_a + 2 * gamma * most_a, most_b)",
         "radius = magnitudes(radius_a, most_b)",
         ["methods/interval/test_rules.py::test_sums_whose_roundings_add_up_are_inside",
         "methods/interval/test_rules.py::test_sums_are_inside_in_whatever_order_they_are_taken"]),
        ("sums are exact", "return sealed(lower - error, upper + error)", "return sealed(lower, upper)"),
        ("sums of one window's side", 'return _summed(eqn, x, math.prod(eqn.params["window_dimensions"]))',
         "return _summed(eqn, x, 1)"),
        ("a sum of magnitudes may overflow", "radius = jnp.where(radius < gamma * LARGE, radius, jnp.inf)", "pass",
         "methods/interval/test_rules.py::test_a_sum_that_may_overflow_on_its_way_is_unknown"),
        ("products by constants are exact", "radius = magnitudes(most_a, radius_b + 2 * gamma * most_b)",
         "radius = magnitudes(most_a, radius_b)"),
    ),
    *within(
        "methods/interval/propagate.py",
        "methods/interval/test_propagate.py::test_a_margin_is_the_least_over_the_other_classes_whatever_comes_last",
        ("one other class", "least = jnp.min(jnp.where(others, apart, jnp.inf), axis=1)",
         "least = jnp.max(jnp.where(others, apart, -jnp.inf), axis=1)"),
        ("differences of weights forget the spread", "lost = (reach + labels(last.error)",
         "lost = (0.5 * reach + labels(last.error)",
         "methods/interval/test_propagate.py::test_a_linear_classifier_is_bounded_exactly"),
        ("boxes upside down", "return where_known(low <= high, sealed(low, high))", "return sealed(low, high)",
         "methods/interval/test_rules.py::test_boxes_upside_down_or_not_numbers_are_unknown"),
        ("other backends", 'if jax.default_backend() != "cpu":', "if False:",
         "methods/interval/test_propagate.py::test_other_backends_and_types_are_refused"),
    ),
    *within(
        "methods/interval/method.py", "methods/interval/test_method.py",
        ("a half is left out", "open_cells += [(upper_part, high), (low, lower_part)]",
         "open_cells += [(low, lower_part)]"),
        ("values at the end of a cell", "(lows < high) & (highs > low), (lows <= high)",
         "(lows < low) & (highs > low), (lows <= high)"),
        ("more cells than were allowed", "if open_cells and tried >= budget:",
         "if open_cells and tried >= 10 * budget:",
         "methods/interval/test_method.py::test_curved_boundaries_take_smaller_cells"),
        ("float32 moves nothing", "float32_error(transform, image, self._low, self._high) * (1.0 + 1e-6)", "0.0",
         "methods/interval/test_method.py::test_what_float32_does_to_an_image_counts_twice"),
    ),
]

RESULTS = [
    *within(
        "results/verify.py", "results/test_folder.py",
        ("records of another header", "strangers = [c for c in claims if c.header not in digests]", "strangers = []",
         "results/test_verify.py"),
        ("budgets that cannot do", "guarantee.method.check_budget(guarantee)", "pass", "results/test_verify.py"),
        ("images twice", "if claim.id in seen:", "if False:"),
        ("images that are missing", "for i in share[:reached] if i not in seen", "for i in share[:0] if i not in seen"),
        ("the last but one that is missing", "share[:reached]", "share[: reached - 1]"),
        ("images of another process", "sorted(i for i in seen if i not in places)", "list[int]()"),
        ("headers that do not say what there is", "elif expected.damaged:\n        faults.append",
         "elif False:\n        faults.append", "results/test_completeness.py"),
        ("a share of another process", "ids[index :: len(shards)]", "ids[0 :: len(shards)]"),
        ("plugins of another version",
         'faults += [f"header: {other}" for other in headers.other_plugins(header, guarantee)]', "pass",
         "test_plugins.py"),
    ),
    *within(
        "results/export.py", "results/test_export.py",
        ("radii are rounded to nearest", 'return repr(number).removesuffix(".0")', 'return f"{number:.6g}"'),
        ("time is that of all images", "claim.seconds if claim.own_seconds is None else claim.own_seconds",
         "claim.seconds"),
        ("an unknown label is wrong", '"" if claim.correct is None else str(int(claim.correct))',
         "str(int(bool(claim.correct)))"),
    ),
    *within(
        "results/reasons.py", "results/test_reasons.py",
        ("a wrong answer that is proved has no reason", "if claim.correct is False and claim.statement is not None:",
         "if claim.correct is False and not claim.certified and claim.statement is not None:"),
        ("the place where most votes are left", "row = int(failed[int(np.argmin(hopes))])",
         "row = int(failed[int(np.argmax(hopes))])"),
        ("any number of votes would do", "while not passes(high):", "while False:"),
    ),
    *within(
        "results/page/_html.py", "results/test_page.py::test_nothing_of_the_users_is_markup",
        ("text is markup", "return html.escape(str(value))", "return str(value)"),
        ("attributes are markup", "{html.escape(str(value))}\"')", "{value}\"')"),
    ),
    *within(
        "results/page/axes.py", "results/test_page.py",
        ("more is drawn than is proved", "share = claim.radius / self._region.size",
         "share = 1.01 * claim.radius / self._region.size"),
        ("the largest share of a place", "np.fmin(least[span], share)", "np.fmax(least[span], share)"),
    ),
    *within(
        "methods/smoothed.py", "methods/test_smoothed.py",
        ("one side of the test alone", "both, alpha / 2.0", "both, alpha"),
        ("draws that claims count", "keys.PREDICT", "keys.ESTIMATE"),
        ("what is not finite is a class", "if top == len(counts) - 1 or", "if"),
    ),
    *within(
        "methods/prover.py", "results/test_reasons.py",
        ("an answer that is none", "return answer if answer < classes else ABSTAIN", "return answer"),
    ),
    *within(
        "claims.py", "methods/test_median.py",
        ("an interval that just misses", "self.low <= label <= self.high", "self.low <= label + 1.0"),
    ),
]

GEOMETRY = [
    *within(
        "methods/cover/kernels.py", "methods/cover/test_rounding.py",
        ("ties go one way", "doubtful = jnp.abs(level - jnp.floor(level) - 0.5) <= near",
         "doubtful = jnp.abs(level - jnp.floor(level) - 0.5) < 0.0"),
        ("no entry may be rounded elsewhere", "doubtful = ~jnp.isin(moved, jnp.asarray(fixed, moved.dtype))",
         "doubtful = jnp.zeros(moved.shape, bool)"),
        ("only fixed entries may be", "doubtful = ~jnp.isin", "doubtful = jnp.isin"),
        ("entries that are counted for one image", "entries = tuple(range(1, moved.ndim))",
         "entries = tuple(range(2, moved.ndim))"),
    ),
    *within(
        "methods/cover/geometry.py", "methods/cover/test_rounding.py",
        ("entries that may be rounded do not count", "inside = np.sqrt(between * jump**2 + gone**2)", "inside = gone"),
        ("levels are as near in all of a box", "nearest = away + gaps + float32.thrice",
         "nearest = away + float32.thrice"),
        ("levels are known exactly", "nearest = away + gaps + float32.thrice", "nearest = away + gaps"),
        ("entries owe nothing to float32", "self.stages.jump, self.stages.reach - float32.off",
         "self.stages.jump, self.stages.reach"),
        ("one entry", "math.sqrt(self.image.size) * jump)", "jump)"),
        ("the attacker's program is ours", "slack=2 * latent, off=2 * image.entry, thrice=3 * image.error)",
         "slack=latent, off=image.entry, thrice=image.error)"),
        ("float32 moves no latent", "slack=2 * latent", "slack=0.0"),
        ("float32 moves no entry", "off=2 * image.entry", "off=0.0"),
        ("the encoder's float32 is free", "image.error + self.noise.float32_upper(image)", "image.error"),
        ("a strip has no float32", "aside[boxes] + rounded + float32.slack", "aside[boxes] + rounded"),
        ("a file's program is exact", "thrice=3 * image.error", "thrice=image.error"),
        ("paths have no float32", "away, float32) + float32.slack", "away, float32)"),
        ("a path is half as long", "2 * self._scales[along] * (speeds * _half_widths(lows, highs))[:, along]",
         "1e-3 * self._scales[along] * (speeds * _half_widths(lows, highs))[:, along]",
         "methods/cover/test_path.py::test_every_box_has_a_bound_on_the_speed_inside_it"),
        ("strips have no width", "aside = np.delete(gaps, along, axis=1)",
         "aside = 0.0 * np.delete(gaps, along, axis=1)",
         "methods/cover/test_path.py"),
        ("corners are exact", "return 0.5 * (high - low) + 2e-7 * (np.abs(low) + np.abs(high))",
         "return 0.5 * (high - low)"),
        ("boxes have half their width", "return 0.5 * (high - low) + 2e-7", "return 0.25 * (high - low) + 2e-7"),
    ),
]

POOLED = [
    *within(
        "estimation/pooled.py", "estimation/test_pooled.py",
        ("a loss costs nothing", "np.where(bet, np.log((1.0 - _ALTERNATIVES) / (1.0 - q)), 0.0),",
         "np.zeros_like(q * _ALTERNATIVES),"),
        ("alternatives below the bound bet too", "bet = q < _ALTERNATIVES", "bet = q < 2.0 * _ALTERNATIVES"),
        ("the prior is no law", "_PRIOR = np.log(_PRIOR / _PRIOR.sum())", "_PRIOR = np.log(_PRIOR)"),
        ("alpha is forgotten", "_MARGIN - np.log(alpha) - log_e", "_MARGIN - log_e"),
        ("the mixture is its sum of rewards", "bets.gains(successes, votes - successes)",
         "bets.gains(successes, 0 * votes)"),
    ),
    *within(
        "methods/pool.py", "estimation/test_pooled.py",
        ("the votes of one centre are all", "np.minimum(layers[self.first], layers[self.second])",
         "layers[self.first]"),
        ("a centre alone votes twice", "np.where(self.first == self.second, 1, 2)", "2"),
        ("votes of any event", "used = [b for b in ballots if b.centre_id in rows and b.event in self._events]",
         "used = [b._replace(event=next(iter(self._events))) for b in ballots if b.centre_id in rows]"),
        ("levels are all alpha", "self._levels[due]) <= 0.0", "0.5) <= 0.0"),
    ),
    *within(
        "methods/cover/pairs.py", "methods/cover/test_pairs.py",
        ("the table is too small", "_TABLE[d[..., None], w,", "0.97 * _TABLE[d[..., None], w,"),
        ("nothing is aside", "np.ceil((aside[..., None] + ", "np.ceil((0.0 * aside[..., None] + "),
        ("half is rounded down", "np.where(apart, np.ceil(half / _STEPS[0]), 0.0)",
         "np.where(apart, np.floor(half / _STEPS[0]), 0.0)"),
        ("nothing is beyond", "np.sqrt(np.maximum(rest, 0.0))", "0.0 * np.maximum(rest, 0.0)"),
        ("no piece but the first", ").max(axis=-1)", ")[..., 0]"),
        ("far away something is said", "values = np.where(inside,", "values = np.where(inside | True,"),
    ),
    *within(
        "methods/cover/path.py", "methods/cover/test_path.py",
        ("nothing strays", "np.sqrt(np.maximum(longest**2 - closest**2, 0.0)), np", "0.0 * longest, np"),
        ("float32 does not bend a path", "closest = np.maximum(way - 0.5 * self.slack, 0.0)", "closest = way"),
        ("parts end before their boxes", "high=stretch.highs[stop - 1]", "high=stretch.highs[start]"),
        ("only the first end is seen", "along_most = np.abs(along).max(axis=0)", "along_most = np.abs(along[0])"),
        ("nothing is beside the line", "aside_most = aside.max(axis=0) + over * sine + sideways",
         "aside_most = over * sine + sideways"),
        ("centres are not where they are", "2 * latents[:1] - latents[1 :", "latents[1 :"),
        ("draws have the law of the proof", "bounds + self.noise.total_variation_upper(stretch.latents[0].size), 1.0",
         "bounds, 1.0"),
        ("bounds are rounded down", "np.ceil(bounds * 10**_DIGITS)", "np.floor(bounds * 10**_DIGITS - 20)"),
        ("centres are numbered otherwise than they are measured", "self._centres.add(latents)",
         "self._centres.add(latents[::-1])"),
        ("a group of parts has the centres of the one before", "place += group", "place += group - 1"),
    ),
    *within(
        "methods/cover/geometry.py", "methods/cover/test_path.py",
        ("a stretch begins elsewhere than the last one ended", "each[-1:] for each in seen",
         "each[:1] for each in seen"),
    ),
    *within(
        "methods/cover/decomposition.py", "methods/cover/test_rounding.py",
        ("a rounding down goes to the nearest level", "if roundings and not down else None", "if roundings else None"),
    ),
    *within(
        "methods/cover/centres.py", "methods/cover/test_centres.py",
        ("a file begins anew", "self._file.write(held.getbuffer())", "pass"),
        ("another latent comes back", "seek(number * self.nbytes_each)", "seek(number // 2 * self.nbytes_each)"),
    ),
    *within(
        "methods/cover/windows.py", "methods/cover/test_method.py",
        ("alpha is spent twice", "1.0 - _SECOND)", "1.0)",
         "results/test_verify.py::test_the_parts_of_alpha_add_up_to_no_more_than_alpha"),
    ),
    *within(
        "methods/cover/method.py", "methods/cover/test_method.py",
        ("any event will do", "if {w.event for w in found} - {*events}:",
         "if {w.event for w in found} - {*events} and False:"),
        ("any level will do", "if not {w.level for w in found} <= {level(guarantee, 0), level(guarantee, 1)}:",
         "if False:"),
        ("parts may overlap", "if any(overlapping(w for w in found", "if False and any(overlapping(w for w in found"),
        ("what was tested has passed", "passed = [[w for w in evidence.passed_windows if",
         "passed = [[w for w in evidence.windows if"),
    ),
    *within(
        "transforms/_warp.py", "methods/cover/test_geometry.py",
        ("the place is computed twice",
         "dy, dx = (y - (row - 1.0))[..., None], (x - (number - row * (w + 2) - 1.0))[..., None]",
         "dy, dx = (y - top)[..., None], (x - left)[..., None]"),
    ),
]

EQUIVALENT = [
    alike(
        "methods/interval/method.py",
        "a tie is won",
        "(np.asarray(margins)[:count] > 0.0)",
        "(np.asarray(margins)[:count] >= 0.0)",
        "Roundings are taken off a margin: it is 0 of constant logits alone, and these have one answer everywhere.",
    ),
    alike(
        "methods/interval/propagate.py",
        "unknown logits",
        "return jnp.where(jnp.all(known(out), axis=1), least, -jnp.inf)",
        "return least",
        "Where a logit is unknown, so are its ends: what is between it and any other is -inf, or not a number.",
    ),
    alike(
        "transforms/motion_blur.py",
        "frames that go back have their ends the wrong way round",
        "jnp.minimum(*ends), jnp.maximum(*ends))",
        "*ends)",
        "Boxes are spanned by both, whichever is the smaller one.",
    ),
    alike(
        "methods/interval/images.py",
        "half widths are not rounded up",
        "* (1.0 + 4 * UNIT)\n    speeds",
        "\n    speeds",
        "The sum behind them allows for four roundings a term and four more: twice what it has with this one.",
    ),
    alike(
        "methods/coverage.py",
        "one that stands alone lends its part",
        "before is not None and before.shared and",
        "before is not None and",
        "What both hold is part of what the one that stands alone has proved.",
    ),
    alike(
        "methods/coverage.py",
        "after a gap other parts are looked at",
        "if low > reached:\n                return False",
        "if low > reached:\n                continue",
        "They are sorted: the others begin behind the gap too, so the end of the region is not reached.",
    ),
    alike(
        "methods/coverage.py",
        "boxes that touch a region count",
        "np.where(high > low, (lows < high) & (highs > low),",
        "np.where(high > low, (lows <= high) & (highs >= low),",
        "What they share with it is a face, which is no piece of the grid.",
    ),
]
# fmt: on

SPT = [
    *within(
        "methods/spt/method.py",
        "methods/spt/test_method.py::test_the_share_needed_and_the_radius_are_inverse",
        ("the inner tests have no level", "sure = (counted_lower - level) / (1.0 - level)", "sure = counted_lower"),
        (
            "errors above the file's are free",
            "level) * sure) * (1.0 + _GUARD)",
            "level) * (sure - rho)) * (1.0 + _GUARD)",
        ),
    ),
    *within(
        "methods/spt/method.py",
        "methods/spt/test_method.py::test_a_claim_does_not_stand_on_fewer_draws_than_were_made",
        ("outer draws may be left out", "!= list(range(len(found))) or not found", "!= [] and not found"),
        ("any level will do", "elif any(h.level != self._inner_level(g) for h in found)", "elif False"),
    ),
    *within(
        "methods/spt/draws.py",
        "methods/spt/test_method.py::test_draws_of_their_own_choose_the_class",
        (
            "the draws that choose the class are tested",
            "np.arange(PILOTS), keys.OUTER_SELECT",
            "np.arange(PILOTS), keys.OUTER",
        ),
    ),
    *within(
        "methods/spt/errors.py",
        "methods/spt/test_errors.py::test_no_volume_moves_what_is_heard_further_and_some_as_far",
        ("nothing is cut off the loudest file", "gain * (cut / loudest + rounded", "gain * (rounded"),
        ("the quietest file is heard as it is", "rounded / quietest)", "0.3 * rounded)"),
        ("what is cut off is cut off once", "cut / loudest +", "cut / loudest**2 +"),
    ),
    *within(
        "methods/spt/kernels.py",
        "methods/spt/test_errors.py",
        ("half a bend", "0.25 * part**2", "0.125 * part**2"),
        ("nothing leaves the canvas", "_lost(image, radius) + jump", "jump"),
        ("a cell is its middle", "(half * (apart * speed + own) + apart * rounded)", "(apart * rounded)"),
    ),
]

MUTANTS = [
    *SURVIVED,
    *LIPSCHITZ,
    *FLOATS,
    *ESTIMATION,
    *CERTIFICATES,
    *METHODS,
    *RESULTS,
    *GEOMETRY,
    *POOLED,
    *SPT,
    *EQUIVALENT,
]


def mutated(mutant: Mutant, package: Path) -> str:
    """The text of the mutant's file with the change made.

    Raises:
      ValueError: the old text does not occur once, or Python cannot read the new one.
    """
    text = (package / mutant.file).read_text(encoding="utf-8")
    if text.count(mutant.old) != 1 or mutant.old == mutant.new:
        raise ValueError(f"{mutant.name}: expected a text that {mutant.file} holds once, got {mutant.old!r}.")
    changed = text.replace(mutant.old, mutant.new)
    ast.parse(changed)
    return changed


def missing(mutant: Mutant, tests: Path) -> list[str]:
    """The mutant's tests that do not exist."""
    lost = []
    for test in mutant.tests:
        file, _, name = test.partition("::")
        text = (tests / file).read_text(encoding="utf-8") if (tests / file).is_file() else None
        if text is None or not (not name or re.search(rf"^def {name.partition('[')[0]}\(", text, re.MULTILINE)):
            lost.append(test)
    return lost


def failing(tests: Sequence[str], mutant: Mutant | None = None) -> tuple[bool, float]:
    """Runs tests on a copy of the package; returns whether one fails, and the seconds that it took.

    Raises:
      RuntimeError: the tests could not be run.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for path in ROOT.iterdir():
            if path.name == PACKAGE:
                shutil.copytree(path, Path(folder) / PACKAGE)
            elif not path.name.startswith("."):
                (Path(folder) / path.name).symlink_to(path)
        if mutant is not None:
            (Path(folder) / PACKAGE / mutant.file).write_text(mutated(mutant, ROOT / PACKAGE), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *(f"tests/{test}" for test in tests)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
    if done.returncode not in (0, 1):  # 1: tests failed; others: none was found, or it could not even be read
        raise RuntimeError(f"{mutant.name if mutant else 'The tests'}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.returncode == 1, time.perf_counter() - began


def survivors(chosen: Sequence[Mutant], jobs: int = 1) -> list[str]:
    """Runs the mutants, says what came of each, and returns the names of those that no test found.

    Raises:
      RuntimeError: tests that fail without any mutant; or that could not be run.
    """
    faults = [m for m in chosen if not m.same]
    if failing(sorted({test for m in faults for test in m.tests}))[0]:
        raise RuntimeError("The tests fail without any mutant.")
    alive = []
    with ThreadPoolExecutor(jobs) as pool:
        for mutant, (found, seconds) in zip(faults, pool.map(lambda m: failing(m.tests, m), faults), strict=True):
            print(f"{'killed  ' if found else 'SURVIVED'} {seconds:6.1f} s  {mutant.name}", flush=True)
            alive += [] if found else [mutant.name]
    return alive


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="mutants whose name holds this text")
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time")
    given = parser.parse_args()
    chosen = [m for m in MUTANTS if given.only in m.name]
    if not any(not m.same for m in chosen):
        parser.error(f"no mutant has {given.only!r} in its name")
    alive = survivors(chosen, given.jobs)
    print(f"{sum(not m.same for m in chosen)} mutants, {len(alive)} survived")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
