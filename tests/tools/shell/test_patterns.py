"""Patterns for commands: a word each, `**` for the rest; what the shell makes fits only perhaps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.shell.patterns import Fit, taken


@pytest.mark.parametrize(
    ("patterns", "argv", "fits"),
    [
        ("git", "git", True),
        ("git", "git push", False),
        ("git push", "git", False),
        ("git push", "git push", True),
        ("git *", "git push", True),
        ("git *", "git", False),
        ("git *", "git push origin", False),
        ("git **", "git", True),
        ("git **", "git push origin", True),
        ("git ** -f", "git push -f", True),
        ("git ** -f", "git push -f x", False),
        ("git ** -f **", "git push -f x", True),
        ("git ** ** -f", "git -f", True),
        ("mkfs*", "mkfs.ext4", True),
        ("dd of=/dev/*", "dd of=/dev/disk/by-id/x", True),
        ("rm [ab]", "rm a", True),
        ("rm [ab]", "rm c", False),
        ("a.c", "abc", False),
        ("Git", "git", False),
    ],
)
def test_a_pattern_takes_a_word(patterns: str, argv: str, fits: bool) -> None:
    assert taken(patterns.split(), argv.split(), ()) is (Fit.YES if fits else Fit.NO)


@pytest.mark.parametrize(
    ("patterns", "argv", "unsure", "fit"),
    [
        ("rm **", "rm $x", (1,), Fit.YES),
        ("rm *", "rm $x", (1,), Fit.MAYBE),
        ("rm -rf **", "rm $x y", (1,), Fit.MAYBE),
        ("rm -rf x", "rm $x", (1,), Fit.MAYBE),
        ("rm", "rm $x", (1,), Fit.MAYBE),
        ("rm x", "rm $x y", (1,), Fit.NO),
        ("git push", "$x", (0,), Fit.MAYBE),
        ("git push", "git $x push", (1,), Fit.MAYBE),
        ("git ** -f", "git $x", (1,), Fit.MAYBE),
    ],
)
def test_a_word_that_the_shell_makes_fits_surely_only_a_rest(
    patterns: str, argv: str, unsure: tuple[int, ...], fit: Fit
) -> None:
    assert taken(patterns.split(), argv.split(), unsure) is fit


def test_many_rests_take_no_time() -> None:
    assert taken(["a", *["**", "b"] * 49], ["a", *["b"] * 3_000, "c"], ()) is Fit.NO


@given(
    name=st.sampled_from(["a", "b", "*", "?", "**"]),
    argv=st.lists(st.sampled_from(["a", "b", "-x"]), max_size=5),
    unsure=st.sets(st.integers(0, 4), max_size=3),
)
def test_a_rule_about_any_use_of_a_command_is_decided_at_once_and_no_otherwise(
    name: str, argv: list[str], unsure: set[int]
) -> None:
    places = sorted(at for at in unsure if at < len(argv))
    assert taken((name, "**"), argv, places) == taken((name, "**", "**"), argv, places)
