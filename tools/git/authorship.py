"""Who a commit says it is by, and which call made it."""

import re
from collections.abc import Mapping

from artel.tools.git.repository import Repository
from artel.tools.tool import Work

NAME, EMAIL = "Artel", "artel@localhost"
CALL, AGENT = "Artel-Call", "Artel-Agent"
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: .+")


def identity(repository: Repository) -> Mapping[str, str]:
    """Return author and committer: those of the repository's own configuration, else Artel."""
    name, email = repository.config.last("user.name"), repository.config.last("user.email")
    if not (name.strip() and email.strip()):
        name, email = NAME, EMAIL
    return {"user.name": name, "user.email": email, "user.useConfigOnly": "true"}


def signed(message: str, work: Work) -> str:
    """Return a commit message that names the agent and the call, in git's trailers.

    >>> from pathlib import Path
    >>> print(signed("Tidy up", Work(Path("/"), "", "", agent="coder", key="1f")))
    Tidy up
    <BLANKLINE>
    Artel-Agent: coder
    Artel-Call: 1f
    """
    said = message.strip()
    *before, last = said.split("\n\n")
    continues = bool(before) and all(map(_TRAILER.fullmatch, last.split("\n")))
    trailers = [f"{AGENT}: {work.agent}"] if work.agent else []
    trailers += [f"{CALL}: {work.key}"] if work.key else []
    return said + ("\n" if continues else "\n\n") + "\n".join(trailers) if trailers else said
