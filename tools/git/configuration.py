"""A repository's own configuration, read without obeying it, and refused where it could run something."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from artel.tools.git.confinement import environment, find_git
from artel.tools.git.errors import UnsafeRepository
from artel.tools.workspace.paths import printable

MAX_BYTES = 1_048_576
READ_S = 10  # for git to read a file of that size

# Each makes git run a program, read a file or reach a place that the repository names.
RUNS = re.compile(
    r"include\.path|includeif\..*|hook\..*|diff\.external"
    r"|(filter|diff|merge|trailer)\..*\.(clean|smudge|process|command|textconv|driver|cmd)"
    r"|core\.(alternaterefscommand|gitproxy)|uploadpack\.packobjectshook|gpg\..*(program|command)"
    r"|remote\..*\.(vcs|uploadpack|receivepack|promisor|partialclonefilter)|extensions\.partialclone"
    r"|url\..*\.(insteadof|pushinsteadof)"
)
# What changes who is spoken to and believed; of interest only to what goes over the net.
REDIRECTS = re.compile(r"http\..*|credential\..+\..*|remote\..*\.proxy.*|core\.gitproxy|ssh\..*")
REMOTE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The entries of a repository's configuration, in order; keys as git writes them."""

    entries: tuple[tuple[str, str], ...]

    def all(self, key: str) -> list[str]:
        """Return every value of `key`."""
        return [value for name, value in self.entries if name == key]

    def last(self, key: str) -> str:
        """Return the value of `key` that counts, or nothing."""
        return next(reversed(self.all(key)), "")

    def check_for_network(self) -> None:
        """Refuse what could lead a connection elsewhere.

        Raises:
            UnsafeRepository: an entry does; the message names it.
        """
        for key, _ in self.entries:
            section, _, rest = key.partition(".")
            remote = rest.rpartition(".")[0] if section == "remote" else ""
            if REDIRECTS.fullmatch(key.lower()) or (remote and not REMOTE_NAME.fullmatch(remote)):
                raise _refusal(key)


def read(files: Iterable[Path]) -> Configuration:
    """Return what the files say together.

    Raises:
        UnsafeRepository: an entry would run a program or lead elsewhere, or a file cannot be read.
    """
    entries = tuple(entry for file in files if file.exists() for entry in _entries(file))
    for key, _ in entries:
        if RUNS.fullmatch(key.lower()):
            raise _refusal(key)
    return Configuration(entries)


def _entries(file: Path) -> list[tuple[str, str]]:
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        raise UnsafeRepository(f"{file} is no ordinary configuration of git; tell the user")
    argv = [find_git(), "config", "--file", str(file), "--no-includes", "--null", "--list"]
    try:
        ran = subprocess.run(  # noqa: S603 - git, found by us, on a file
            argv, cwd="/", env=environment(), capture_output=True, timeout=READ_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnsafeRepository(f"{file} takes longer than {READ_S} s to read; tell the user") from None
    if ran.returncode:
        raise UnsafeRepository(f"{file} cannot be read: {printable(ran.stderr.decode(errors='replace'))}")
    parts = (entry.partition("\n") for entry in ran.stdout.decode(errors="surrogateescape").split("\0"))
    return [(key, value) for key, _, value in parts if key]


def _refusal(key: str) -> UnsafeRepository:
    return UnsafeRepository(
        f"Git was not run: the repository's configuration sets {printable(key)}, which could run a program "
        f"or lead elsewhere. Tell the user: `git config --unset-all` removes it."
    )
