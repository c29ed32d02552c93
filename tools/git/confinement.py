"""The environment and the configuration git runs with: nothing of ours leaks in, nothing of theirs runs."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from artel.tools.git.errors import GitFailed

OLDEST = (2, 38)  # `merge-tree --write-tree` works a merge out without touching a file

# Wins over the repository's own configuration. What cannot be overridden is refused: see `configuration`.
FIXED: Mapping[str, str] = {
    "color.ui": "false",
    "commit.gpgSign": "false",
    "core.alternateRefsCommand": "false",
    "core.editor": "true",
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.pager": "cat",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.quotePath": "false",
    "core.sshCommand": "false",
    "credential.helper": "",
    "diff.ignoreSubmodules": "dirty",
    "fetch.recurseSubmodules": "no",
    "gc.auto": "0",
    "gpg.program": "false",
    "http.followRedirects": "false",
    "i18n.commitEncoding": "utf-8",
    "i18n.logOutputEncoding": "utf-8",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "merge.verifySignatures": "false",
    "protocol.allow": "never",
    "protocol.ext.allow": "never",
    "pull.twohead": "ort",
    "push.gpgSign": "false",
    "push.recurseSubmodules": "no",
    "safe.bareRepository": "explicit",
    "status.submoduleSummary": "false",
    "submodule.recurse": "false",
    "tag.gpgSign": "false",
}


@lru_cache(maxsize=1)
def find_git() -> str:
    """Return the path of git.

    Raises:
        GitFailed: there is none, or it is older than 2.38.
    """
    found = shutil.which("git") or ""
    if not Path(found).is_absolute():  # a relative one might be a file of the workspace
        raise GitFailed("git is not installed on the server; tell the user")
    said = subprocess.run([found, "version"], capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603 - found above
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < OLDEST:
        raise GitFailed(f"git 2.38 or later is needed, the server has {said.strip()}; tell the user")
    return found


def environment(
    *, protocol: str = "none", writes: bool = False, config: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment git runs in: made from nothing.

    `protocol` is the one way over which it may speak to others, `config` wins over all other configuration.
    """
    git = Path(find_git())
    env = {
        "PATH": os.pathsep.join(dict.fromkeys((str(git.parent), "/usr/local/bin", "/usr/bin", "/bin"))),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_ALLOW_PROTOCOL": protocol,
        "GIT_ASKPASS": "",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_EDITOR": "true",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "1" if writes else "0",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
    }
    return env | _as_variables({**FIXED, **(config or {})})


def _as_variables(config: Mapping[str, str]) -> dict[str, str]:
    """Return configuration as variables: unlike arguments nobody else on the machine can read them."""
    variables = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (key, value) in enumerate(config.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
