"""Training data of real conversations: with consent only, the same each time, secrets left out."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.server.learning.conftest import WRITTEN, answer, say
from tests.server.protocol.conftest import Wire

from artel.server.learning import exporting
from artel.server.learning.exporting import FolderTaken, Request
from artel.server.learning.redacting import Redaction
from artel.storage.errors import Invalid

CONSENT = "/api/v1/training/consent"
FEEDBACK = "/api/v1/feedback"


async def exported(
    wire: Wire, folder: Path, **asked: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    request = Request("local", **{"min_reward": 0.0, **asked})
    manifest = await exporting.export(wire.app.state.engine.db, folder, request, Redaction())
    sft, pairs = (
        [json.loads(line) for line in (folder / name).read_bytes().splitlines()] for name in exporting.FILES
    )
    assert json.loads((folder / "manifest.json").read_text()).keys() == manifest.keys()
    return sft, pairs, manifest


async def agreed(wire: Wire) -> None:
    assert (await wire.ok("PUT", CONSENT, {"allowed": True}))["allowed"]


def called(pair: dict[str, Any], side: str) -> Any:
    """Return the arguments of the call on one side of a pair."""
    return json.loads(pair[side][0]["tool_calls"][0]["function"]["arguments"])


async def test_nothing_leaves_without_consent_nor_what_was_before_it(wire: Wire, tmp_path: Path) -> None:
    thread = await say(wire, "before")
    sft, pairs, manifest = await exported(wire, tmp_path / "none")
    assert (sft, pairs, manifest["counts"]["turns"]) == ([], [], 0)
    await agreed(wire)
    await say(wire, "after", thread)
    sft, _, manifest = await exported(wire, tmp_path / "some")
    assert [[one["content"] for one in example["messages"]] for example in sft] == [
        ["after", "You said: after"]
    ]
    assert manifest["counts"]["sft"] == 1
    await wire.ok("PUT", CONSENT, {"allowed": False})
    assert (await exported(wire, tmp_path / "withdrawn"))[0] == []
    await agreed(wire)
    assert (await exported(wire, tmp_path / "again"))[0] == []


async def test_a_thread_that_is_excluded_stays_out(wire: Wire, tmp_path: Path) -> None:
    await agreed(wire)
    thread = await say(wire, "private")
    await say(wire, "public")
    place = f"/api/v1/threads/{thread}/training"
    assert await wire.ok("GET", place) == {"excluded": False}
    assert await wire.ok("PUT", place, {"excluded": True}) == {"excluded": True}
    sft, _, _ = await exported(wire, tmp_path / "out")
    assert [example["messages"][0]["content"] for example in sft] == ["public"]
    await wire.ok("PUT", place, {"excluded": False})
    assert len((await exported(wire, tmp_path / "in"))[0]) == 2


async def test_a_turn_carries_its_reward_and_what_was_said_before_it(wire: Wire, tmp_path: Path) -> None:
    await agreed(wire)
    thread = await say(wire, "one")
    await say(wire, "two", thread)
    runs = await wire.ok("GET", f"/threads/{thread}/runs")
    await wire.ok("PUT", FEEDBACK, {"thread_id": thread, "run_id": runs[0]["run_id"], "score": 1})
    sft, _, _ = await exported(wire, tmp_path / "all")
    assert [example["reward"] for example in sft] == [0.65, 0.75]
    second = sft[1]["messages"]
    assert [(one["role"], one.get("weight")) for one in second] == [
        ("user", None),
        ("assistant", 0),
        ("user", None),
        ("assistant", None),
    ]
    sft, _, manifest = await exported(wire, tmp_path / "best", min_reward=0.7)
    assert [example["messages"][-2]["content"] for example in sft] == ["two"]
    assert manifest["counts"]["skipped"] == {"reward": 1}


async def test_an_edited_call_is_a_pair_and_a_turn_that_failed_is_no_example(
    wire: Wire, tmp_path: Path
) -> None:
    await agreed(wire)
    thread = await say(wire, "write it")
    better = {**WRITTEN, "content": "two"}
    await answer(wire, thread, {"type": "edit", "edited_action": {"name": "write_file", "args": better}})
    await say(wire, "fail now")
    sft, (pair,), manifest = await exported(wire, tmp_path / "out", min_reward=0.3)
    assert (pair["source"], pair["prompt"]) == ("edited", [{"role": "user", "content": "write it"}])
    calls = [
        json.loads(pair[side][0]["tool_calls"][0]["function"]["arguments"]) for side in ("chosen", "rejected")
    ]
    assert calls == [better, WRITTEN]
    assert len(sft) == 1
    assert manifest["counts"]["skipped"] == {"broken": 1}


async def test_a_rejected_call_is_paired_with_the_one_that_was_approved(wire: Wire, tmp_path: Path) -> None:
    await agreed(wire)
    thread = await say(wire, "write it")
    await answer(wire, thread, {"type": "reject", "message": "no"})
    better = {**WRITTEN, "content": "three"}
    await answer(wire, thread, {"type": "edit", "edited_action": {"name": "write_file", "args": better}})
    _, pairs, manifest = await exported(wire, tmp_path / "out")
    assert {
        pair["source"]: json.loads(pair["chosen"][0]["tool_calls"][0]["function"]["arguments"])
        for pair in pairs
    } == {
        "rejected": better,
        "edited": better,
    }
    assert (manifest["counts"]["rejected"], manifest["counts"]["edited"]) == (1, 1)


async def test_what_was_liked_is_paired_with_what_was_not_where_the_same_was_asked(
    wire: Wire, tmp_path: Path
) -> None:
    await agreed(wire)
    for text, said, score in (("Hello", "good", 1), ("hello ", "bad", -1), ("else", "bad", -1)):
        thread = await say(wire, text, answer=said)
        (run,) = await wire.ok("GET", f"/threads/{thread}/runs")
        await wire.ok("PUT", FEEDBACK, {"thread_id": thread, "run_id": run["run_id"], "score": score})
    _, (pair,), _ = await exported(wire, tmp_path / "out")
    assert (pair["source"], pair["prompt"][0]["content"]) == ("rated", "Hello")
    assert (pair["chosen"][0]["content"], pair["rejected"][0]["content"]) == ("good", "bad")


async def test_the_same_conversations_make_the_same_bytes_and_the_manifest_proves_them(
    wire: Wire, tmp_path: Path
) -> None:
    await agreed(wire)
    for text in ("one", "One ", "two"):
        await say(wire, text)
    until = datetime.now(UTC)
    first, second = [await exported(wire, tmp_path / name, until=until) for name in ("a", "b")]
    assert first == second
    manifest = first[2]
    assert manifest["counts"]["skipped"] == {"duplicate": 1}
    for told in manifest["files"]:
        content = (tmp_path / "a" / told["name"]).read_bytes()
        assert content == (tmp_path / "b" / told["name"]).read_bytes()
        assert (told["sha256"], told["bytes"]) == (sha256(content).hexdigest(), len(content))
        assert told["lines"] == content.count(b"\n")
    await say(wire, "three")
    assert (await exported(wire, tmp_path / "c", until=until))[0] == first[0]


async def test_hostile_words_stay_one_line_and_secrets_stay_here(wire: Wire, tmp_path: Path) -> None:
    await agreed(wire)
    hostile = 'x"}\n{"messages": []}\r\n\u2028 token=abc123def ada@example.org /home/ada/.ssh \u0000'.replace(
        "\0", ""
    )
    await say(wire, hostile)
    ((example,), _, _) = await exported(wire, tmp_path / "out")
    said = example["messages"][0]["content"]
    assert said.startswith('x"}\n{"messages": []}\r\n\u2028')
    assert not [word for word in ("abc123def", "ada@", "/home/ada") if word in json.dumps(example)]


async def test_an_export_has_a_folder_of_its_own(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(FolderTaken, match="is not empty"):
        await exported(wire, tmp_path / "taken")
    with pytest.raises(Invalid, match="cannot be written"):
        await exported(wire, tmp_path / "taken" / "file")
    with pytest.raises(Invalid, match="from 0 to 1, got 2"):
        await exported(wire, tmp_path / "new", min_reward=2)
