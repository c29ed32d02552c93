"""`artel export-training --out FOLDER`: what models may learn of conversations, of users who consent."""

import asyncio
import sys
from argparse import Namespace
from datetime import datetime
from pathlib import Path

from langgraph_sdk import Encryption

from artel.server import encryption, served
from artel.server.cli.ground import database, direct, settle
from artel.server.learning import exporting
from artel.server.learning.redacting import Redaction
from artel.storage.encoding import dumps
from artel.storage.errors import Invalid
from artel.storage.migrations import migrate
from artel.storage.postgres import open_database
from artel.storage.sealing import agree


def run(arguments: Namespace) -> int:
    """Write the files and print the manifest."""
    since, until = (_moment(name, getattr(arguments, name)) for name in ("since", "until"))
    asked = exporting.Request(arguments.owner, arguments.user, since, until, arguments.min_reward)
    settings = settle(arguments)
    file = served.find(settings.config)
    key = encryption.read(served.read(file) if file else None)
    with database(settings) as dsn:
        asyncio.run(migrate(direct(settings, dsn)))
        return asyncio.run(_export(dsn, key, arguments.out, asked, Redaction(settings.secrets)))


async def _export(
    dsn: str, key: Encryption | None, out: Path, asked: exporting.Request, redaction: Redaction
) -> int:
    sealer = await agree(dsn, key)
    async with open_database(dsn, pool_size=2, sealer=sealer) as db:
        manifest = await exporting.export(db, out, asked, redaction)
    sys.stdout.write(dumps(manifest).decode() + "\n")
    return 0


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"--{name} must be a moment such as 2026-01-31T12:00:00Z, got {text!r}") from None
    if moment.tzinfo is None:
        raise Invalid(f"--{name} must say its zone, as in {text}Z, got {text!r}")
    return moment
