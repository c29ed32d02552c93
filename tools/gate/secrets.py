"""Secrets in what a change adds: by their shape, or by the word before them."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from artel.tools.gate.configuration import Secrets, any_fits
from artel.tools.gate.report import Finding

CHECK = "secrets"
IN_URL = "password-in-url"
MAX_LINE = 20_000  # characters; in a longer one only shapes are looked for
MAX_FOUND = 50  # in one file
MIN_ENTROPY = 3.5  # bits a character: words have less, random letters and digits more
MIN_CHARS = 20

# Each by words of which one must stand in a text that holds it
SHAPES: dict[str, tuple[tuple[str, ...], str]] = {
    "private-key": (("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"),
    "aws-access-key": (("AKIA", "ASIA", "ABIA", "ACCA"), r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    "gcp-api-key": (("AIza",), r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    "gcp-oauth": (("ya29.",), r"\bya29\.[0-9A-Za-z_-]{20,}"),
    "github-token": (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]_[0-9A-Za-z]{36,255}|github_pat_[0-9A-Za-z_]{22,255})",
    ),
    "gitlab-token": (("gl",), r"\bgl(?:pat|dt|rt|ptt|cbt|ft|soat)-[0-9A-Za-z_-]{20,}"),
    "slack-token": (("xox", "xapp-"), r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}|\bxapp-\d-[0-9A-Za-z-]{10,}"),
    "slack-webhook": (
        ("hooks.slack.com",),
        r"https://hooks\.slack\.com/(?:services|workflows)/[0-9A-Za-z/_-]{20,}",
    ),
    "anthropic-key": (("sk-ant-",), r"\bsk-ant-[0-9A-Za-z_-]{20,}"),
    "openai-key": (
        ("sk-",),
        r"\bsk-(?:proj|svcacct|admin)-[0-9A-Za-z_-]{20,}|\bsk-[0-9A-Za-z]{40,}\b",
    ),
    "stripe-key": (
        ("k_live_", "k_test_", "whsec_"),
        r"\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}|\bwhsec_[0-9A-Za-z]{24,}",
    ),
    "jwt": (("eyJ",), r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}"),
    "npm-token": (("npm_",), r"\bnpm_[0-9A-Za-z]{36}\b"),
    "pypi-token": (("pypi-AgE",), r"\bpypi-AgE[0-9A-Za-z_-]{40,}"),
    "huggingface-token": (("hf_",), r"\bhf_[0-9A-Za-z]{30,}\b"),
    "sendgrid-key": (("SG.",), r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"),
    IN_URL: (("://",), r"://[^\s/:@'\"<>{}$%]{1,80}:(?P<value>[^\s/@'\"<>{}$%]{3,200})@"),
}
_SHAPES = {rule: (needles, re.compile(shape)) for rule, (needles, shape) in SHAPES.items()}
_WORDS = ("pass", "pwd", "secret", "token", "key", "credential")
_NAMED = re.compile(
    r"""(?ix) (?P<word> pass(?:word|wd|phrase)? | pwd | secret | token | api[_-]?key | access[_-]?key
        | private[_-]?key | auth[_-]?key | credential | client[_-]?secret
        | (?: \b | [_-] | (?<=[a-z])(?=(?-i:K)) ) keys? (?! [a-z] ) )
    [\w.-]{0,30} ["'`]? \]? \s{0,5} (?: : \s{0,3} [\w.\[\]| ]{1,30} = | := | => | [=:] ) \s{0,5}
    (?: (?:[rbuf]{0,2}) (?P<quote>["'`]) (?P<quoted>[^"'`\n]{4,500}) (?P=quote)
        | (?P<plain>[^\s"'`,;(){}\[\]<>]{8,500}) )
    """
)
# What stands where a secret will be, and what only names one
_NONE = re.compile(
    r"""(?ix) .*(?: \$\{ | \{\{ | %\( | %s | <[^>]*> | \.\.\. | … | example | placeholder | change[_-]?me
        | dummy | your[_-] | xxxx | \*\*\* | redacted | insert | todo | fake ).*
    | (.)\1+ | [\w.-]*(?:password|passwd|secret|token|key|credential)s?[\w.-]*
    | (?:https?|file|postgres(?:ql)?):// .* | [/~.]+/ .* """,
)
_PASSWORD = re.compile(r"(?i)pass|pwd|secret")
_RANDOM = re.compile(r"[0-9A-Za-z+/=_.~-]+")


class Leaks:
    """What is looked for by one gate."""

    def __init__(self, settings: Secrets) -> None:
        self._settings = settings
        self._allowed = [re.compile(each) for each in settings.allow]

    def look(self, path: str, text: str) -> list[tuple[str, Finding]]:
        """Return the secrets in a file with what each is, once per line and kind; no message holds one."""
        if any_fits(path, self._settings.unless):
            return []
        found: dict[tuple[int, str], tuple[str, Finding]] = {}
        for number, rule, value in _in_text(text):
            if not any(each.fullmatch(value) for each in self._allowed):
                found.setdefault((number, rule), (f"{rule}\0{value}", _finding(path, number, rule, value)))
            if len(found) >= MAX_FOUND:
                break
        return [found[key] for key in sorted(found)]


def holds_one(text: str) -> bool:
    """Return whether something in a text looks like a secret."""
    return any(True for _ in _in_text(text))


def _in_text(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, rule and value of what looks like a secret."""
    known: list[str] = []
    for rule, (needles, shape) in _SHAPES.items():
        for match in shape.finditer(text) if any(needle in text for needle in needles) else ():
            value = match["value"] if rule == IN_URL else match[0]
            if rule != IN_URL or not (_NONE.fullmatch(value) or len(set(value)) < 3):
                known.append(value)
                yield text.count("\n", 0, match.start()) + 1, rule, value
    lower = text.lower()
    if not any(word in lower for word in _WORDS):
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_LINE or not any(word in line.lower() for word in _WORDS):
            continue
        for rule, value in _named(line):
            if not any(value in each or each in value for each in known):
                yield number, rule, value


def _named(line: str) -> Iterator[tuple[str, str]]:
    for match in _NAMED.finditer(line):
        value = match["quoted"] or match["plain"]
        if _is_secret(match["word"], value, quoted=match["quoted"] is not None):
            yield ("password" if _PASSWORD.search(match["word"]) else "high-entropy"), value


def _is_secret(word: str, value: str, *, quoted: bool) -> bool:
    if _NONE.fullmatch(value):
        return False
    if is_random(value):
        return True
    return quoted and bool(_PASSWORD.search(word)) and len(value) >= 6 and not re.search(r"\s", value)


def is_random(value: str) -> bool:
    """Return whether a text looks like chance: letters and digits, with more in them than words have."""
    if len(value) < MIN_CHARS or not _RANDOM.fullmatch(value):
        return False
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed and entropy(value) >= MIN_ENTROPY


def entropy(value: str) -> float:
    """Return the bits a character that a text holds, by how often each of its characters comes.

    >>> entropy("aaaa"), entropy("abab")
    (0.0, 1.0)
    """
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts) + 0.0


def _finding(path: str, line: int, rule: str, value: str) -> Finding:
    kind = rule.replace("-", " ")
    return Finding(
        check=CHECK,
        path=path,
        line=line,
        rule=rule,
        message=f"looks like a secret ({kind}, {len(value)} characters); take it out, and read it from the "
        "environment. One that was real has to be revoked",
    )
