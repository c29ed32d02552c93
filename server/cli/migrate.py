"""`artel migrate`: bring the database to this release's schema, and end."""

import asyncio
import sys
from argparse import Namespace

from artel.server.cli.ground import database, direct, settle
from artel.storage.migrations import HEAD, migrate


def run(arguments: Namespace) -> int:
    """Migrate the database that a server with the same settings would use."""
    settings = settle(arguments)
    with database(settings) as dsn:
        asyncio.run(migrate(direct(settings, dsn)))
    sys.stdout.write(f"the database is at revision {HEAD}\n")
    return 0
