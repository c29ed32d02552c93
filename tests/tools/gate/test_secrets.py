"""Secrets: those that are found, those that are none, and no message that repeats one."""

import random
import string

import pytest

from artel.tools.gate.configuration import Secrets
from artel.tools.gate.secrets import Leaks

LETTERS = string.ascii_letters + string.digits


def made(chars: int, seed: int = 1, letters: str = LETTERS) -> str:
    """Return random letters, so that no secret stands in this file."""
    return "".join(random.Random(seed).choices(letters, k=chars))


def rules(text: str, path: str = "a.py", **settings: object) -> list[str]:
    return [one.rule for _, one in Leaks(Secrets.model_validate(settings)).look(path, text)]


UPPER = string.ascii_uppercase + string.digits
SECRETS = {
    "private-key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "aws-access-key": "AKIA" + made(16, letters=UPPER),
    "gcp-api-key": "AIza" + made(35),
    "github-token": "ghp_" + made(36),
    "gitlab-token": "glpat-" + made(20),
    "slack-token": "xoxb-" + made(24),
    "anthropic-key": "sk-ant-" + made(40),
    "openai-key": "sk-proj-" + made(40),
    "stripe-key": "sk_live_" + made(24),
    "jwt": f"eyJ{made(20)}.eyJ{made(20)}.{made(20)}",
    "password-in-url": f"postgres://ann:{made(9)}@db/x",
    "password": f'password = "{made(8)}"',
    "high-entropy": f'API_KEY: "{made(32)}"',
}


@pytest.mark.parametrize(("rule", "text"), SECRETS.items())
def test_a_secret_is_found_and_no_message_repeats_it(rule: str, text: str) -> None:
    ((_, found),) = Leaks(Secrets()).look(
        "a.py", f"first\nx = '{text}'\n" if '"' not in text else f"\n{text}"
    )
    assert (found.rule, found.line) == (rule, 2)
    assert text[-8:] not in found.message


@pytest.mark.parametrize(
    "text",
    [
        'password = os.environ["PASSWORD"]',
        'password = "${DB_PASSWORD}"',
        'password = "changeme"',
        'password = "<your password>"',
        'password: str = ""',
        "def login(password: str, token: str) -> None: ...",
        'label = "password"',
        'secret = "client_secret"',
        'key = "the quick brown fox jumps over it"',
        'token = "xxxxxxxxxxxxxxxxxxxxxxxx"',
        "sort(key=lambda one: one.name_of_something_long)",
        "postgres://user:password@localhost/x",
        "postgres://artel:${PASSWORD}@localhost/x",
        'cache_key = f"{namespace}:{identifier}:{version}"',
        "keyboard = 'qwertyuiopasdfghjkl12345678'",
        f"sha256 = '{made(64, letters='0123456789abcdef')}'",
    ],
)
def test_what_only_names_a_secret_is_none(text: str) -> None:
    assert rules(text) == []


def test_the_project_says_what_is_no_secret_and_where_none_is_looked_for() -> None:
    text = SECRETS["aws-access-key"]
    assert rules(text, allow=["AKIA[A-Z0-9]+"]) == []
    assert rules(text, allow=["AKIA"]) == ["aws-access-key"]
    assert rules(text, path="tests/fixtures/a.txt", **{"except": ["tests/fixtures/**"]}) == []


def test_a_comment_beside_a_secret_allows_nothing() -> None:
    assert rules(f"x = '{SECRETS['github-token']}'  # gitleaks:allow nosec noqa") == ["github-token"]


def test_lines_of_any_length_are_searched_in_no_time() -> None:
    for text in (
        "a" * 4_000_000,
        "key=" * 500_000,
        "password = '" + "a" * 1_000_000,
        ("token" + " " * 30) * 50_000,
    ):
        assert rules(f"{text} {SECRETS['github-token']}") == ["github-token"]
