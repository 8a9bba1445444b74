"""The list of mutants does not rot; and, slowly, the tests find each of them."""

import pytest

from tests import mutants


def test_each_changes_one_text_that_is_there_and_names_tests_that_exist():
    assert len({m.name for m in mutants.MUTANTS}) == len(mutants.MUTANTS)
    for mutant in mutants.MUTANTS:
        mutants.mutated(mutant, mutants.ROOT / mutants.PACKAGE)
        assert mutants.missing(mutant, mutants.ROOT / "tests") == []
        assert bool(mutant.tests) != bool(mutant.same)


def test_what_has_rotted_is_found():
    slack = next(m for m in mutants.MUTANTS if m.name == "transforms/_cells.py: no slack")
    for old, new in (("return 1e-5", "return 1e-5"), ("gone", "here"), ("return", "pass"), (slack.old, "return (")):
        with pytest.raises((ValueError, SyntaxError)):
            mutants.mutated(slack._replace(old=old, new=new), mutants.ROOT / mutants.PACKAGE)
    lost = (
        "transforms/test_gone.py",
        "test_mutants.py::test_gone",
        "test_mutants.py::test_what_has_rotted_is_found[x]",
    )
    assert mutants.missing(slack._replace(tests=lost), mutants.ROOT / "tests") == list(lost[:2])


@pytest.mark.slow
def test_the_tests_find_every_one():
    assert mutants.survivors(mutants.MUTANTS) == []
