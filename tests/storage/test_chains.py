"""Chains: one text for each value, and no change that leaves no trace."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artel.storage.chains import START, Link, Walk, canonical, read_line, said

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.integers(0, 10**9).map(lambda ms: ms / 1000)  # seconds, as entries have them
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)
MOMENT = said(datetime(2026, 3, 1, 12, tzinfo=UTC))


@settings(max_examples=60)
@given(PLAIN)
def test_a_value_has_one_text_which_others_can_make_too(value: Any) -> None:
    text = canonical(value)
    assert canonical(json.loads(text)) == text
    assert json.loads(text) == value
    assert text == json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@settings(max_examples=30)
@given(st.dictionaries(TEXTS, PLAIN, max_size=6), st.randoms())
def test_the_order_of_keys_says_nothing(value: dict[str, Any], chance: Any) -> None:
    keys = list(value)
    chance.shuffle(keys)
    assert canonical({key: value[key] for key in keys}) == canonical(value)


@pytest.mark.parametrize("odd", ["\ud800", float("nan"), {"a\0b": "\0"}, 2**80, {1: b"x"}, object])
def test_what_json_has_no_form_for_has_a_text_all_the_same(odd: Any) -> None:
    text = canonical({"odd": odd})
    assert canonical(json.loads(text)) == text


def chain(*bodies: dict[str, Any], owner: str = "ada") -> list[Link]:
    links: list[Link] = []
    for seq, body in enumerate(bodies, 1):
        before = links[-1].hash if links else START
        link = Link(owner, seq, MOMENT, canonical({"owner": owner, **body}), before, "")
        links.append(replace(link, hash=link.right_hash))
    return links


def walked(links: list[Link], head: Link | None = None) -> str:
    """Walk links to their end; what is wrong, empty if nothing is."""
    way = Walk("ada")
    for link in links:
        if broken := way.step(link):
            return f"{broken.seq}: {broken.what}"
    head = head or links[-1]
    broken = way.end({"seq": head.seq, "hash": head.hash})
    return f"{broken.seq}: {broken.what}" if broken else ""


@settings(max_examples=40)
@given(st.lists(st.dictionaries(TEXTS, PLAIN, max_size=3), min_size=1, max_size=6), st.data())
def test_every_single_tampering_is_found_where_it_is(bodies: list[dict[str, Any]], data: Any) -> None:
    links = chain(*({"said": body} for body in bodies))
    assert walked(links) == ""
    place = data.draw(st.integers(0, len(links) - 1))
    name = data.draw(st.sampled_from(["entry", "written_at", "prev_hash", "hash", "seq"]))
    other: Any = {
        "entry": canonical({"owner": "ada", "said": "another"}),
        "written_at": said(datetime(2026, 3, 2, tzinfo=UTC)),
        "prev_hash": "0" * 64,
        "hash": "0" * 64,
        "seq": 99,
    }[name]
    changed = [*links[:place], replace(links[place], **{name: other}), *links[place + 1 :]]
    wrong = 99 if name == "seq" else place + 1
    assert walked(changed, links[-1]) == f"{wrong}: it was changed"
    rest = [*links[:place], *links[place + 1 :]]
    assert walked(rest, links[-1]) != "" or not rest


def test_an_entry_that_was_forged_with_its_hash_breaks_the_next_one() -> None:
    links = chain({"n": 1}, {"n": 2}, {"n": 3})
    forged = replace(links[1], entry=canonical({"owner": "ada", "n": 7}))
    forged = replace(forged, hash=forged.right_hash)
    assert walked([links[0], forged, links[2]]) == "3: it follows another one"


def test_an_entry_of_another_chain_is_no_link() -> None:
    mine, foreign = chain({"n": 1}), chain({"n": 1}, owner="bob")
    assert walked([replace(foreign[0], owner="ada")], mine[0]) == "1: it is another's"


def test_a_line_of_an_export_is_the_entry_again() -> None:
    (link,) = chain({"n": 1.5, "said": {"summary": "Édit\u2028"}})
    assert read_line(link.line) == link
    assert json.loads(link.line)["entry"]["n"] == 1.5


@pytest.mark.parametrize("line", [b"", b"{}", b"not json", b'{"owner":"a","seq":"1"}', b"[1]", b'{"a":\xff}'])
def test_what_is_no_entry_is_told_from_one(line: bytes) -> None:
    assert read_line(line) is None
