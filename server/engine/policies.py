"""Which policy holds for whom: the server's, or under its floor a person's own.

One query says which version that is, whenever somebody asks: nothing here can be out of date. The document
comes along only if this process has not read that version before.
"""

from dataclasses import dataclass

from artel.storage import policies
from artel.storage.postgres import Connection, Database
from artel.tools.policies import over, parsed
from artel.tools.policy import Policy

KEPT = 1_000  # people whose policies are kept parsed

Whose = tuple[str, str]  # owner, user


@dataclass(frozen=True, slots=True)
class Ruled:
    """The policy that holds for somebody."""

    policy: Policy
    version: int = 0
    "Of their own policy; 0: they never had one."
    own: Policy | None = None


class Policies:
    """The policies of one process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[Whose, tuple[int, Policy | None]] = {}

    async def of(self, server: Policy, *, owner: str, user_id: str) -> Ruled:
        """Return what holds for somebody now.

        Raises:
            PolicyWrong: this release cannot read their policy: nothing is done by another one.
        """
        async with self._db.connection() as conn:
            return await self._of(conn, server, (owner, user_id))

    async def _of(self, conn: Connection, server: Policy, whose: Whose) -> Ruled:
        known = self._known.get(whose)
        version, has_own, document = await policies.newest(
            conn, owner=whose[0], user_id=whose[1], known=known[0] if known else None
        )
        if known is None or known[0] != version:
            known = (version, parsed(document) if has_own else None)
            if version:
                self._keep(whose, known)
        own = known[1]
        return Ruled(over(server, own), version, own)

    def _keep(self, whose: Whose, known: tuple[int, Policy | None]) -> None:
        self._known.pop(whose, None)
        self._known[whose] = known
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
