"""What the audit log keeps of a call: enough to know it again, and nothing to be ashamed of."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artel.server.engine import redaction
from artel.storage.chains import canonical

SECRET = "hunter2-hunter2"
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=8, max_size=30)


@pytest.mark.parametrize(
    "line",
    [
        f"curl -H 'Authorization: Bearer {SECRET}' https://a.example",
        f"git clone https://me:{SECRET}@host.example/a.git",
        f"export AWS_SECRET_ACCESS_KEY={SECRET} && deploy",
        f"deploy --token {SECRET} --verbose",
        f"mysql --password={SECRET} -u root",
        f'API_KEY="{SECRET}" make',
        f"Fetch https://a.example/x?access_token={SECRET}&page=2",
        f"psql 'host=db password={SECRET}'",
    ],
)
def test_a_line_is_kept_without_its_secret(line: str) -> None:
    kept = redaction.text(line)
    assert SECRET not in kept
    assert kept.split()[0].split("=")[0] == line.split()[0].split("=")[0]


def test_a_harmless_line_is_kept_as_it_is() -> None:
    for line in ("Edit src/tokens.py", "Search . for def token", "make test -j 4"):
        assert redaction.text(line) == line


def test_a_long_line_is_cut() -> None:
    assert redaction.text("x" * 1000) == "x" * redaction.LONGEST + "…"


def test_contents_and_secrets_are_kept_as_digest_and_length() -> None:
    kept = redaction.arguments(
        {"file_path": "a.py", "offset": 3, "content": "print(1)", "headers": {"X-Api-Key": SECRET}}
    )
    digest = sha256(b"print(1)").hexdigest()
    assert (kept["file_path"], kept["offset"]) == ("a.py", 3)
    assert kept["content"] == {"sha256": digest, "chars": 8}
    assert kept["headers"]["X-Api-Key"]["chars"] == len(SECRET)


NESTED: Any = st.recursive(
    st.just(SECRET) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=40)
@given(st.dictionaries(WORDS, NESTED, max_size=4))
def test_no_text_under_an_unknown_name_is_kept(args: dict[str, Any]) -> None:
    assert SECRET not in canonical(redaction.arguments(args))


@settings(max_examples=20)
@given(st.sampled_from(["password", "api_key", "clientSecret", "Authorization", "token"]), WORDS)
def test_what_stands_under_the_name_of_a_secret_is_not_kept(name: str, value: str) -> None:
    assert value not in canonical(redaction.arguments({name: value, "path": "x"}))


def test_arguments_have_one_digest_whatever_their_order() -> None:
    assert redaction.digest({"a": 1, "b": 2}) == redaction.digest({"b": 2, "a": 1})
