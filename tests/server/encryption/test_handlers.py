"""Handlers that are missing, or do not do what they should."""

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.ciphers import BLOBS, KEYS
from tests.server.encryption.conftest import NEEDLE, Folder

from artel.server import encryption
from artel.server.served import ConfigWrong, Served


async def test_a_handler_that_fails_stores_nothing(served: Folder) -> None:
    failing = BLOBS.replace("return key(ctx).encrypt(blob)", "raise ConnectionError('no KMS')")
    async with served(failing) as wire:
        thread = await wire.thread()
        wish = {"assistant_id": "works", "input": {"word": NEEDLE}}
        status, sentence = await wire.refused("POST", f"/threads/{thread}/runs", wish)
        assert (status, sentence) == (
            503,
            "encrypt.blob of encryption failed (run kwargs): ConnectionError: no KMS",
        )
        assert await wire.ok("GET", f"/threads/{thread}/runs") == []


async def test_an_encryptor_of_json_that_does_not_keep_the_keys_is_refused(served: Folder) -> None:
    merging = BLOBS + KEYS.replace("    return data\n", "    return {'all': str(data)}\n", 1)
    async with served(merging) as wire:
        status, sentence = await wire.refused("POST", "/threads", {"metadata": {"secret": NEEDLE}})
        assert (status, "must return the keys it was given, ['secret']" in sentence) == (503, True)


@pytest.mark.parametrize(
    ("section", "source", "sentence"),
    [
        ({}, BLOBS, r"encryption\.path is required"),
        ({"path": "./enc.py"}, BLOBS, r"encryption\.path must be"),
        ({"path": "./none.py:encryption"}, BLOBS, r"encryption\.path: there is no file"),
        ({"path": "./enc.py:other"}, BLOBS, r'encryption\.path: there is no "other"'),
        ({"path": "./enc.py:json"}, BLOBS, r"must be an Encryption, not module"),
        (
            {"path": "./enc.py:encryption"},
            BLOBS.partition("@encryption.encrypt")[0],
            r"no @encryption\.encrypt\.blob",
        ),
        (
            {"path": "./enc.py:encryption"},
            BLOBS.partition("@encryption.decrypt")[0],
            r"has @encryption\.encrypt\.blob, but no @encryption\.decrypt\.blob",
        ),
        (
            {"path": "./enc.py:encryption"},
            BLOBS + KEYS.partition("@encryption.decrypt")[0],
            r"has @encryption\.encrypt\.json, but no @encryption\.decrypt\.json",
        ),
        ({"path": "./enc.py:encryption"}, "raise ValueError('odd')", r"cannot be imported: ValueError: odd"),
    ],
)
def test_an_encryption_that_cannot_work_is_refused_at_the_start(
    tmp_path: Path, section: dict[str, Any], source: str, sentence: str
) -> None:
    (tmp_path / "enc.py").write_text(source)
    config = Served(tmp_path / "langgraph.json", (), (tmp_path,), {}, {"encryption": section})
    with pytest.raises(ConfigWrong, match=rf"langgraph\.json: .*{sentence}"):
        encryption.read(config)
