"""What a person may grant with a yes: the call itself, or all that are like it in a way that can be told."""

import re
from collections.abc import Sequence
from posixpath import dirname
from typing import Any

from artel.tools.grants import SCOPES, Covers, said
from artel.tools.policy import Call
from artel.tools.workspace.secrets import is_secret

EXACT, WIDE = "exact", "wide"
MAX_CALLS = 50  # of a line; one with more is asked about each time
MAX_CHARS = 4_000  # of all that is covered: nobody reads more before saying yes for ever

# Programs whose arguments are a program of their own, or lead anywhere: only word for word.
_SHELLS = (
    "sh bash dash zsh ksh fish pwsh env xargs find nohup timeout nice watch parallel eval source ssh sudo"
)
_LANGUAGES = "python node nodejs deno bun perl ruby php lua Rscript osascript java awk gawk sed jq"
_ANYWHERE = (
    "npx bunx uvx pipx docker podman kubectl curl wget nc rm rmdir dd mv cp ln tee chmod chown truncate kill"
)
ANYTHING = frozenset(f"{_SHELLS} {_LANGUAGES} {_ANYWHERE}".split())
_VERSIONED = re.compile(r"-?[\d.]+$")  # python3.12
# Programs whose first argument says what they do.
_TELLING = "git npm pnpm yarn cargo go uv pip pip3 poetry pdm hatch bundle dotnet gh terraform"
SUBCOMMANDS = frozenset(_TELLING.split())
RUNNERS = frozenset(("run", "run-script", "exec", "x", "dlx", "tool"))  # whose argument says what runs
# Of git: these reach others, throw work away, or run what they are told.
_REACHING = "push config remote clean reset bisect rebase submodule filter-branch worktree difftool grep"
REACHING = frozenset(_REACHING.split())
_WORD = re.compile(r"[A-Za-z][\w:.-]*")


def offers(tool: str, calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Return what may be granted of calls that are asked about: `id`, `scopes`, `covers` and a `label`.

    All of them have to be such that a grant may lift them; none are offered for too many or too long ones.
    """
    unheard = any(call.action.startswith("exec") and not call.argv for call in calls)
    if not calls or unheard or len(calls) > MAX_CALLS:
        return []
    exact = [_exact(call) for call in calls]
    wide = [_wide(call) or same for call, same in zip(calls, exact, strict=True)]
    found = {EXACT: exact} if wide == exact else {EXACT: exact, WIDE: wide}
    made = [_offer(name, tool, covers) for name, covers in found.items()]
    return [one for one in made if len(one["label"]) <= MAX_CHARS]


def _offer(name: str, tool: str, covers: Sequence[Covers]) -> dict[str, Any]:
    told = [one.model_dump(mode="json", exclude_defaults=True) for one in dict.fromkeys(covers)]
    return {"id": name, "scopes": list(SCOPES), "label": said(tool, covers), "covers": told}


def _exact(call: Call) -> Covers:
    also = tuple(form.argv for form in call.also)
    return Covers(action=call.action, argv=call.argv, also=also, path=call.path)


def _wide(call: Call) -> Covers | None:
    """Return all that are like a call; None where nobody could say what that would let through."""
    if call.argv:
        return _beginning(call)
    if call.action == "fs.write" and call.path and not is_secret(call.path):
        return Covers(action=call.action, path=dirname(call.path) or ".", rest=True)
    if call.action.startswith("net.") and call.path:
        return Covers(action=call.action, path=call.path.split("/")[0], rest=True)
    return None


def _beginning(call: Call) -> Covers | None:
    count = _telling(call.argv)
    tail = call.argv[count:]
    forms = [form.argv for form in call.also]
    if not count or any(len(form) <= len(tail) or form[len(form) - len(tail) :] != tail for form in forms):
        return None
    also = tuple(form[: len(form) - len(tail)] for form in forms)
    return Covers(action=call.action, argv=call.argv[:count], also=also, path=call.path, rest=True)


def _telling(argv: Sequence[str]) -> int:
    """Return how many words of a command say what it does; 0 where all of them do."""
    name = argv[0].rpartition("/")[2]
    if _VERSIONED.sub("", name) == "python" and argv[1:2] == ("-m",):
        return 3 if len(argv) > 2 and _is_harmless(argv[2]) else 0
    if not _is_harmless(name):
        return 0
    if name not in SUBCOMMANDS:
        return 1
    if len(argv) < 2 or not _WORD.fullmatch(argv[1]) or (name == "git" and argv[1] in REACHING):
        return 0
    if argv[1] not in RUNNERS:
        return 2
    return 3 if len(argv) > 2 and _is_harmless(argv[2]) else 0


def _is_harmless(word: str) -> bool:
    return bool(_WORD.fullmatch(word)) and _VERSIONED.sub("", word) not in ANYTHING
