"""Handlers of `encryption` as somebody would write them, by a real cipher; and a look at what lies open."""

import zlib
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

BLOBS = """
import json
from cryptography.fernet import Fernet
from langgraph_sdk import Encryption

encryption = Encryption()
KEYS = {None: Fernet("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="),
        "blue": Fernet("Ymx1ZS1ibHVlLWJsdWUtYmx1ZS1ibHVlLWJsdWUtMTI=")}
asked = []

def key(ctx):
    asked.append((ctx.model, ctx.field, dict(ctx.metadata)))
    return KEYS[ctx.metadata.get("tenant")]

@encryption.encrypt.blob
async def encrypt_blob(ctx, blob):
    return key(ctx).encrypt(blob)

@encryption.decrypt.blob
async def decrypt_blob(ctx, blob):
    return key(ctx).decrypt(blob)
"""
KEYS = """
CLEAR = {"owner", "team"}

@encryption.encrypt.json
async def encrypt_json(ctx, data):
    for name in data.keys() - CLEAR:
        data[name] = "sealed:" + key(ctx).encrypt(json.dumps(data[name]).encode()).decode()
    return data

@encryption.decrypt.json
async def decrypt_json(ctx, data):
    return {name: json.loads(key(ctx).decrypt(value.removeprefix("sealed:").encode()))
            for name, value in data.items()}
"""
CONTEXT = """
@encryption.context
async def context(user, ctx):
    return {**ctx.metadata, "seen": True}
"""


def leaks(dsn: str, needle: str) -> set[str]:
    """Return the columns, as `table.column`, of all tables in which something is found."""
    found: set[str] = set()
    with psycopg.connect(dsn) as conn:
        tables = conn.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        for (table,) in tables.fetchall():
            cursor = conn.execute(sql.SQL("select * from {}").format(sql.Identifier(table)))
            names = [column.name for column in cursor.description or ()]
            for row in cursor.fetchall():
                found |= {
                    f"{table}.{name}" for name, value in zip(names, row, strict=True) if _has(value, needle)
                }
    return found


def _has(value: Any, needle: str) -> bool:
    if not isinstance(value, bytes):
        return needle in str(value)
    with suppress(zlib.error):
        value += zlib.decompress(value[1:])  # a chunk of events, perhaps
    return needle.encode() in value
