"""What leaves for training holds no secret, no address of a person, and no name of their folder."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artel.server.learning.redacting import Redaction

OURS = "our-Own-Password-77"
REDACTION = Redaction([OURS])
LETTERS = string.ascii_letters + string.digits
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
AROUND = st.text(alphabet=string.ascii_lowercase + " \n\"'{}[]:,.;=()/<>\u2028é", max_size=40)


def random_of(size: int, alphabet: str = LETTERS) -> st.SearchStrategy[str]:
    return st.text(alphabet=alphabet, min_size=size, max_size=size)


SECRETS = st.one_of(
    st.just(OURS),
    random_of(36).map("ghp_{}".format),
    random_of(24).map("glpat-{}".format),
    random_of(48).map("sk-{}".format),
    random_of(40).map("sk-ant-{}".format),
    random_of(16, string.ascii_uppercase + string.digits).map("AKIA{}".format),
    random_of(35).map("AIza{}".format),
    random_of(20, LETTERS).map(lambda x: f"eyJ{x}.eyJ{x}.{x}"),
    random_of(30).map("hf_{}".format),
    random_of(60).map("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----".format),
)


@UNHURRIED
@given(AROUND, SECRETS, AROUND)
def test_no_known_secret_is_left_wherever_it_stands(before: str, secret: str, after: str) -> None:
    said = f"{before} {secret} {after}"
    assert secret not in REDACTION.text(said)
    deep = {"a": [{"b": said}], "argument": json.dumps({"text": said})}
    assert secret not in json.dumps(REDACTION.value(deep), ensure_ascii=False)


@UNHURRIED
@given(st.sampled_from(["password", "api_key", "X-Api-Key", "client_secret", "access_token"]), random_of(9))
def test_what_stands_under_the_name_of_a_secret_is_hidden(name: str, value: str) -> None:
    value = f"{value}%"
    assert value not in json.dumps(REDACTION.value({name: value, "deep": {name: [value]}}))
    for said in (f"{name}={value}", f"{name}: {value}", json.dumps({name: value}), f"--{name} {value}"):
        for told in (said, json.dumps(said), json.dumps(json.dumps(said))):
            assert value not in REDACTION.text(told), told


@UNHURRIED
@given(random_of(8, string.ascii_lowercase), random_of(6, string.ascii_lowercase))
def test_people_and_their_folders_are_not_named(name: str, host: str) -> None:
    for said in (f"{name}@{host}.example.org", f"Mail <{name}.x+y@{host}.de>"):
        assert name not in REDACTION.text(said)
    for folder in (
        f"/home/{name}",
        f"/Users/{name}",
        rf"C:\Users\{name}",
        f"c:/users/{name}",
        f"C:\\\\Users\\\\{name}",
    ):
        shown = REDACTION.text(f"see '{folder}/src/{host}.py' now")
        assert name not in shown.replace(host, ""), shown
        assert f"{host}.py" in shown


@pytest.mark.parametrize(
    "said",
    [
        "def tokens(text: str) -> list[str]: ...",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "see /etc/hosts, src/homepage.py and /workspace/app",
        "import os; os.environ.get('PATH')",
        "Напиши тест для src/часы.py",
    ],
)
def test_ordinary_words_stay(said: str) -> None:
    assert REDACTION.text(said) == said


def test_what_no_json_can_hold_is_made_fit() -> None:
    told = REDACTION.value({"x": float("nan"), "y": 2**100, "z": "\ud800", "s": {1, 2}, "deep": {"pin": 1}})
    assert json.loads(json.dumps(told, allow_nan=False))["y"] == 2**100
    assert told["x"] is None
    assert told["z"] == "?"
