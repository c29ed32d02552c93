"""The time: that of the database, for clocks of hosts differ."""

from datetime import datetime

from artel.storage.postgres import Connection

NOW = "select clock_timestamp() as now"


async def now(conn: Connection) -> datetime:
    """Return the time by which runs fall due, schedules fire and questions expire."""
    row = await (await conn.execute(NOW)).fetchone()
    assert row
    moment: datetime = row["now"]
    return moment
