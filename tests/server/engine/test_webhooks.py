"""Others are told of the ends of runs: once the ending is written, for certain, and only where it is safe."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.served import calling, serving

from artel.server.engine.addresses import Policy, WebhookRefused, Webhooks
from artel.server.engine.settings import WebhookSettings
from artel.storage import clock, webhooks
from artel.storage.ids import new_id
from artel.storage.postgres import Database, open_database

SOON = WebhookSettings(retry_s=0.05, timeout_s=1, attempts=3, secret=SecretStr("secret"))


async def here(host: str, port: int) -> Sequence[str]:
    """Know one name, and addresses as they are."""
    if host == "nowhere.example":
        raise OSError("no such host")
    return ["127.0.0.1"] if host == "hooks.example" else [host]


LOCAL = Policy(loopback=True, resolve=here)


@asynccontextmanager
async def told(
    dsn: str, policy: Policy = LOCAL, settings: WebhookSettings = SOON
) -> AsyncIterator[tuple[httpx.AsyncClient, Receiver]]:
    async with (
        receiving() as receiver,
        serving(dsn, webhooks=Webhooks(policy, settings)) as app,
        calling(app) as http,
    ):
        yield http, receiver


async def log_of(http: httpx.AsyncClient, status: str | None = None) -> list[dict[str, Any]]:
    """Return the delivery log, once every delivery in it has that status."""
    async with asyncio.timeout(20):
        while True:
            found: list[dict[str, Any]] = (await http.get("/api/v1/webhooks")).json()
            if found and (status is None or all(one["status"] == status for one in found)):
                return found
            await asyncio.sleep(0.05)


def wish(graph: str, receiver: Receiver, given: Any, **more: Any) -> dict[str, Any]:
    return {"assistant_id": graph, "input": given, "webhook": receiver.url(), **more}


async def test_the_receiver_is_told_the_run_its_values_and_its_times(fresh_dsn: str) -> None:
    async with told(fresh_dsn) as (http, receiver):
        body = wish("slow", receiver, {"n": 0}, metadata={"m": "ж"})
        assert (await http.post("/runs/wait", json=body)).json() == {"answer": "slept", "n": 0}
        (one,) = await receiver.wait()

        assert (one.body["status"], one.body["values"]) == ("success", {"answer": "slept", "n": 0})
        assert one.body["metadata"]["m"] == "ж"
        assert one.body["kwargs"]["webhook"] == receiver.url()
        assert "error" not in one.body
        times = [one.body[name] for name in ("run_started_at", "run_ended_at", "webhook_sent_at")]
        assert times == sorted(times)
        assert one.headers["host"] == f"127.0.0.1:{receiver.port}"
        (entry,) = await log_of(http, "delivered")
        assert one.headers["artel-delivery"] == entry["delivery_id"]
        assert (entry["run_id"], entry["answered"], entry["attempts"]) == (one.body["run_id"], 200, 1)
        assert [step["answered"] for step in entry["log"]] == [200]


async def test_what_is_sent_is_signed_with_its_time(fresh_dsn: str) -> None:
    async with told(fresh_dsn) as (http, receiver):
        await http.post("/runs/wait", json=wish("slow", receiver, {"n": 0}))
        (one,) = await receiver.wait()
        moment, mark = (part.partition("=")[2] for part in one.headers["artel-signature"].split(","))
        assert hmac.new(b"secret", moment.encode() + b"." + one.raw, "sha256").hexdigest() == mark


async def test_failures_questions_and_cancelled_runs_are_told_too(fresh_dsn: str) -> None:
    async with told(fresh_dsn) as (http, receiver):
        await http.post("/runs/wait", json=wish("fails", receiver, {}))
        (failed,) = await receiver.wait(1)
        assert failed.body["status"] == "error"
        assert failed.body["error"] == {"error": "ValueError", "message": "boom"}

        thread = (await http.post("/threads", json={})).json()["thread_id"]
        await http.post(f"/threads/{thread}/runs/wait", json=wish("asks", receiver, {"n": 1}))
        asked = (await receiver.wait(2))[1]
        assert (asked.body["status"], asked.body["values"]) == ("success", {"n": 1})

        path = f"/threads/{thread}/runs"
        run = (await http.post(path, json=wish("slow", receiver, {"n": 30}))).json()
        await http.post(f"{path}/{run['run_id']}/cancel?wait=1")
        assert (await receiver.wait(3))[2].body["status"] == "interrupted"


async def test_runs_that_are_rolled_back_are_told_once_though_they_are_gone(fresh_dsn: str) -> None:
    async with told(fresh_dsn) as (http, receiver):
        thread = (await http.post("/threads", json={})).json()["thread_id"]
        path = f"/threads/{thread}/runs"
        running = (await http.post(path, json=wish("slow", receiver, {"n": 30}))).json()["run_id"]
        waiting = (await http.post(path, json=wish("slow", receiver, {"n": 0}))).json()["run_id"]
        for run in (waiting, running):
            await http.post(f"{path}/{run}/cancel?action=rollback&wait=1")
            assert (await http.get(f"{path}/{run}")).status_code == 404
        shoved = (await http.post(path, json=wish("slow", receiver, {"n": 30}))).json()["run_id"]
        last = {"assistant_id": "slow", "input": {"n": 0}, "multitask_strategy": "rollback"}
        await http.post(f"{path}/wait", json=last)
        made = (await http.post("/runs", json=wish("slow", receiver, {"n": 30}))).json()
        alone = made["run_id"]
        await http.post(f"/threads/{made['thread_id']}/runs/{alone}/cancel?action=rollback")

        told_of = [(one.body["run_id"], one.body["status"]) for one in await receiver.wait(4)]
        assert sorted(told_of) == sorted((run, "rolled_back") for run in (waiting, running, shoved, alone))
        assert [one.body["values"] for one in receiver.told] == [None] * 4
        assert all(one.body["run_ended_at"] <= one.body["webhook_sent_at"] for one in receiver.told)
        assert len(await log_of(http, "delivered")) == 4


async def test_its_times_are_those_of_the_database(fresh_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose clock went wrong told of runs that end tomorrow, with signatures as of a replay."""
    tomorrow = "clock_timestamp() + interval '1 day'"
    monkeypatch.setattr(clock, "NOW", f"select {tomorrow} as now")
    monkeypatch.setattr(
        webhooks, "TAKE", webhooks.TAKE.replace("clock_timestamp() as taken", f"{tomorrow} as taken")
    )
    async with told(fresh_dsn) as (http, receiver):
        await http.post("/runs/wait", json=wish("slow", receiver, {"n": 0}))
        (one,) = await receiver.wait()
        (entry,) = await log_of(http, "delivered")
        told_of = [one.body[name] for name in ("run_ended_at", "updated_at", "webhook_sent_at")]
        times = [datetime.fromisoformat(moment) for moment in (*told_of, entry["log"][0]["at"])]
        signed_at = int(one.headers["artel-signature"].partition(",")[0].removeprefix("t="))
        hours = [(moment - datetime.now(UTC)).total_seconds() / 3600 for moment in times]
        assert all(23.9 < ahead < 24.1 for ahead in (*hours, (signed_at - time.time()) / 3600)), hours


async def test_a_failing_receiver_is_told_again_and_again_but_not_for_ever(fresh_dsn: str) -> None:
    async with told(fresh_dsn) as (http, receiver):
        receiver.answers = [500, 307, 404]
        await http.post("/runs/wait", json=wish("slow", receiver, {"n": 0}))
        (entry,) = await log_of(http, "failed")
        assert [step["answered"] for step in entry["log"]] == [500, 307, 404]
        assert {one.path for one in receiver.told} == {"/hook"}  # a redirect is not followed
        assert len({one.headers["artel-delivery"] for one in receiver.told}) == 1

        receiver.answers = [204]
        again = await http.post(f"/api/v1/webhooks/{entry['delivery_id']}/retry")
        assert (again.status_code, again.json()["status"]) == (202, "pending")
        (entry,) = await log_of(http, "delivered")
        assert len(entry["log"]) == 4
        assert (await http.post(f"/api/v1/webhooks/{new_id()}/retry")).status_code == 404


async def test_where_a_receiver_says_to_go_instead_is_not_even_read(fresh_dsn: str) -> None:
    """Who read it failed over names such as this one, noted nothing, and tried again for ever."""
    async with told(fresh_dsn) as (http, receiver):
        receiver.answers, receiver.moved_to = [307], "http://xn--/"
        await http.post("/runs/wait", json=wish("slow", receiver, {"n": 0}))
        (entry,) = await log_of(http, "failed")
        assert [step["answered"] for step in entry["log"]] == [307, 307, 307]


async def test_a_receiver_that_does_not_answer_holds_up_nobody_else(fresh_dsn: str) -> None:
    settings = SOON.model_copy(update={"attempts": 1})
    async with told(fresh_dsn, settings=settings) as (http, silent), receiving() as awake:
        silent.pause_s = 5
        await http.post("/runs/wait", json=wish("slow", silent, {"n": 0}))
        await silent.wait()
        await http.post("/runs/wait", json=wish("slow", awake, {"n": 0}))
        await asyncio.wait_for(awake.wait(), 1)
        found = await log_of(http)
        while {one["status"] for one in found} != {"failed", "delivered"}:
            await asyncio.sleep(0.05)
            found = await log_of(http)
        assert "no answer within 1 s" in [one["reason"] for one in found]


async def test_what_one_process_left_behind_another_delivers(fresh_dsn: str, db: Database) -> None:
    async with receiving() as receiver:
        async with db.connection() as conn:
            await webhooks.add(
                conn, run_id=new_id(), thread_id=new_id(), owner="local", url=receiver.url(), body={"a": 1}
            )
        async with serving(fresh_dsn, webhooks=Webhooks(LOCAL, SOON)), serving(fresh_dsn):
            (one,) = await receiver.wait()
            assert one.body["a"] == 1
            await asyncio.sleep(0.3)
            assert len(receiver.told) == 1


async def test_deliveries_are_taken_by_one_and_fall_due_again_when_it_dies(fresh_dsn: str) -> None:
    async with open_database(fresh_dsn) as db, db.connection() as one, db.connection() as other:
        for _ in range(6):
            await webhooks.add(one, run_id=new_id(), thread_id=new_id(), owner="me", url="x", body={})
        held = timedelta(seconds=0.2)
        async with db.transaction() as open_:
            first = await webhooks.take(open_, most=4, held=held)
            second = await webhooks.take(other, most=6, held=held)
        ids: list[UUID] = [delivery.delivery_id for delivery in (*first, *second)]
        assert (len(first), len(second), len(set(ids))) == (4, 2, 6)
        await asyncio.sleep(0.25)
        assert [d.attempts for d in await webhooks.take(one, most=10, held=held)] == [2] * 6


NOT_THERE = [
    "/x",
    "hooks.example/x",
    "ftp://hooks.example/x",
    "file:///etc/passwd",
    "http://",
    "http://[::1",
    "http://hooks.example:99999/",
    "http://hooks.example/a b",
    "http://nowhere.example/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://0.0.0.0/",
    "http://[::ffff:127.0.0.1]/",
    "http://10.0.0.1/",
    "http://172.16.5.4/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://100.64.0.1/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[2002:0a00:0001::]/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://" + "a" * 3000,
]


async def test_urls_that_lead_inside_or_nowhere_are_refused_when_the_run_is_made(fresh_dsn: str) -> None:
    async with serving(fresh_dsn, webhooks=Webhooks(Policy(resolve=here), SOON)) as app, calling(app) as http:
        for url in NOT_THERE:
            for path in ("/runs", "/runs/wait", "/runs/stream"):
                answer = await http.post(path, json={"assistant_id": "slow", "webhook": url})
                said = (url, answer.status_code, answer.json().get("code"))
                assert said == (url, 422, "webhook_refused"), answer.text
        body = [{"assistant_id": "slow"}, {"assistant_id": "slow", "webhook": "http://10.0.0.1/"}]
        assert (await http.post("/runs/batch", json=body)).status_code == 422
        assert (await http.post("/threads/count", json={})).json() == 0


async def test_a_name_that_means_another_address_later_leads_nowhere(fresh_dsn: str) -> None:
    moved = False

    async def turning(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1"] if moved else ["93.184.216.34"]

    policy = Policy(resolve=turning)
    async with told(fresh_dsn, policy) as (http, receiver):
        url = f"http://hooks.example:{receiver.port}/"
        thread = (await http.post("/threads", json={})).json()["thread_id"]
        body = {"assistant_id": "slow", "input": {"n": 0.3}, "webhook": url}
        run = (await http.post(f"/threads/{thread}/runs", json=body)).json()
        moved = True
        await http.get(f"/threads/{thread}/runs/{run['run_id']}/join")
        (entry,) = await log_of(http, "failed")
        assert "private or reserved" in entry["reason"]


async def test_the_checked_address_is_called_under_the_name(fresh_dsn: str) -> None:
    async with told(fresh_dsn) as (http, receiver):
        body = wish("slow", receiver, {"n": 0}) | {"webhook": receiver.url("/a?b=1#c", "hooks.example")}
        await http.post("/runs/wait", json=body)
        (one,) = await receiver.wait()
        assert (one.path, one.headers["host"]) == ("/a?b=1", f"hooks.example:{receiver.port}")


async def test_a_login_in_the_url_is_sent_as_one(fresh_dsn: str) -> None:
    async with told(fresh_dsn) as (http, receiver):
        url = f"http://me:word@hooks.example:{receiver.port}/a"
        await http.post("/runs/wait", json=wish("slow", receiver, {"n": 0}) | {"webhook": url})
        (one,) = await receiver.wait()
        assert one.headers["authorization"] == "Basic bWU6d29yZA=="
        assert one.headers["host"] == f"hooks.example:{receiver.port}"


async def test_rules_say_which_hosts_ports_and_schemes() -> None:
    async def outside(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    strict = Policy(
        domains=("hooks.example", "*.corp.example"),
        ports=(443,),
        https_only=True,
        max_chars=60,
        resolve=outside,
    )
    for url in ("https://hooks.example/", "https://a.corp.example:443/x", "https://HOOKS.example/"):
        assert str((await strict.target(url)).address) == "93.184.216.34"
    for url in (
        "http://hooks.example/",
        "https://corp.example/",
        "https://evilcorp.example/",
        "https://hooks.example.evil/",
        "https://hooks.example:8443/",
        "https://hooks.example/" + "x" * 60,
    ):
        with pytest.raises(WebhookRefused):
            await strict.target(url)


async def test_private_ranges_are_open_where_that_is_said() -> None:
    inside = Policy(private=True, resolve=here)
    assert (await inside.target("http://10.0.0.1/x")).at == "http://10.0.0.1/x"
    assert (await inside.target("http://[fd00::1]:8/x")).at == "http://[fd00::1]:8/x"
    for url in ("http://127.0.0.1/", "http://224.0.0.1/"):
        with pytest.raises(WebhookRefused):
            await inside.target(url)
