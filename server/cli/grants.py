"""`artel grants list | revoke ID`: what need not be asked again, and taking it back."""

import asyncio
import sys
from argparse import Namespace
from uuid import UUID

from langgraph_sdk import Encryption

from artel.server import encryption, served
from artel.server.cli.ground import database, direct, settle
from artel.server.engine.auditing import grant_entry
from artel.server.engine.handles import grant_of
from artel.storage import audit, grants
from artel.storage.errors import Invalid
from artel.storage.grants import Granted
from artel.storage.migrations import migrate
from artel.storage.postgres import Database, open_database
from artel.storage.sealing import agree
from artel.tools.grants import said

OWNER = "local"


def run(arguments: Namespace) -> int:
    """Do what is asked for, as the server of this folder would."""
    settings = settle(arguments)
    file = served.find(settings.config)
    key = encryption.read(served.read(file) if file else None)
    with database(settings) as dsn:
        asyncio.run(migrate(direct(settings, dsn)))
        return asyncio.run(_act(dsn, arguments, key))


async def _act(dsn: str, arguments: Namespace, key: Encryption | None) -> int:
    sealer = await agree(dsn, key)
    async with open_database(dsn, pool_size=2, sealer=sealer) as db:
        if arguments.act == "revoke":
            return await _revoke(db, arguments.grant_id, arguments.user)
        async with db.connection() as conn:
            found = await grants.search(conn, owner=OWNER, user_id=arguments.user, limit=grants.MOST)
    sys.stdout.writelines(f"{_line(one)}\n" for one in found)
    return 0


async def _revoke(db: Database, grant_id: str, user: str) -> int:
    try:
        wanted = UUID(grant_id)
    except ValueError:
        raise Invalid(f"a grant's id is as `artel grants list` says it, got {grant_id!r}") from None
    async with db.transaction() as conn:
        ended = await grants.revoke(conn, wanted, owner=OWNER, user_id=user)
        await audit.add(conn, [grant_entry(ended, "revoked", user=user)])
    sys.stdout.write(f"{_line(ended)}: revoked\n")
    return 0


def _line(row: Granted) -> str:
    grant = grant_of(row)
    where = f"{row.scope} {row.thread_id or row.workspace or ''}".strip()
    until = f", until {row.expires_at:%Y-%m-%d %H:%M %Z}" if row.expires_at else ""
    agent = grant.agent or "any agent"
    return f"{row.grant_id}  {where}{until}  {agent}  {said(grant.tool, grant.covers)}  used {row.used}"
