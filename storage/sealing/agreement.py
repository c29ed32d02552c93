"""What a database and its processes agree on: that something in it is sealed, and how that is marked."""

from secrets import token_hex

from langgraph_sdk import Encryption

from artel.storage.postgres import connect
from artel.storage.sealing.sealer import SEALED, NoKey, Sealer

SEAL = """
insert into seals (mark) select %(mark)s where %(encrypts)s on conflict do nothing
"""
MARK = "select mark from seals"


async def agree(dsn: str, encryption: Encryption | None) -> Sealer | None:
    """Return what seals in this database; None where nothing is, nor ever was.

    Raises:
        NoKey: something was sealed here before, and there is nothing to open it.
        Invalid, Unavailable: the database cannot be reached.
    """
    async with await connect(dsn, prepared=False) as conn:
        values = {"mark": f"{SEALED}.{token_hex(8)}", "encrypts": encryption is not None}
        await conn.execute(SEAL, values)
        row = await (await conn.execute(MARK)).fetchone()
    if row is None or encryption is None:
        if row is not None:
            raise NoKey(
                "this database holds what `encryption` of a langgraph.json has sealed: give that key to this "
                "process too; to leave it, let its encrypt handlers return what they get, and keep decrypt"
            )
        return None
    return Sealer(encryption, row["mark"])
