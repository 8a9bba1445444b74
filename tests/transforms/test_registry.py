import pathlib

import pytest

from gsmooth_jax.transforms import TRANSFORMS, describe, parse


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_every_registered_name_has_its_file_and_its_test(name):
    test = pathlib.Path(__file__).with_name(f"test_{name}.py")
    assert test.exists(), f"{name} is registered but has no tests/transforms/test_{name}.py"
    assert f"check_transform({TRANSFORMS[name].__name__}(" in test.read_text()
    assert TRANSFORMS[name].__module__ == f"gsmooth_jax.transforms.{name}"


@pytest.mark.parametrize(
    "text", ["gamma", "rotation(mask=True)", "rotation|quantize(bits=8)", "contrast | clip | quantize"]
)
def test_texts_survive_the_round_trip(text):
    assert parse(describe(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "rule"), [("rotate", "rotation"), ("rotation|", "transform"), ("gamma(2)", "key=literal")]
)
def test_bad_texts_say_what_is_known(text, rule):
    with pytest.raises(ValueError, match=rule):
        parse(text)
