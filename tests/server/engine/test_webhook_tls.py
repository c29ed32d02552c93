"""Webhooks by https: the address is the one that was checked, the name is the one of the URL."""

import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from tests.fakes.certificates import Authority
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.served import calling, serving
from tests.server.engine.test_webhooks import LOCAL, SOON, log_of

from artel.server.engine.addresses import Webhooks


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority whom this process trusts, as it does those of the system."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


class Place:
    """A receiver that shows a certificate, and a server that is to tell it."""

    def __init__(self, dsn: str, shown: ssl.SSLContext) -> None:
        self._dsn = dsn
        self._shown = shown
        self._stack = AsyncExitStack()
        self.asked_for: list[str | None] = []

    async def __aenter__(self) -> tuple[httpx.AsyncClient, Receiver]:
        self._shown.sni_callback = lambda _socket, name, _context: self.asked_for.append(name)
        receiver = await self._stack.enter_async_context(receiving(self._shown))
        settings = SOON.model_copy(update={"attempts": 1})
        app = await self._stack.enter_async_context(serving(self._dsn, webhooks=Webhooks(LOCAL, settings)))
        return await self._stack.enter_async_context(calling(app)), receiver

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()


async def test_the_name_of_the_url_is_asked_for_and_must_be_in_the_certificate(
    fresh_dsn: str, authority: Authority
) -> None:
    place = Place(fresh_dsn, authority.context("hooks.example"))
    async with place as (http, receiver):
        url = receiver.url("/a", "hooks.example")
        await http.post("/runs/wait", json={"assistant_id": "slow", "input": {"n": 0}, "webhook": url})
        (told,) = await receiver.wait()
        assert (await log_of(http, "delivered"))[0]["answered"] == 200
        assert (told.path, told.headers["host"]) == ("/a", f"hooks.example:{receiver.port}")
        assert place.asked_for == ["hooks.example"]


@pytest.mark.parametrize("name", ["other.example", "example", "127.0.0.1"])
async def test_a_certificate_in_another_name_is_refused_also_in_that_of_the_address(
    fresh_dsn: str, authority: Authority, name: str
) -> None:
    """Who checked the certificate against the address it connects to would take whoever sits there."""
    async with Place(fresh_dsn, authority.context(name)) as (http, receiver):
        url = receiver.url("/a", "hooks.example")
        await http.post("/runs/wait", json={"assistant_id": "slow", "input": {"n": 0}, "webhook": url})
        (entry,) = await log_of(http, "failed")
        assert "certificate verify failed" in entry["reason"]
        assert "'hooks.example'" in entry["reason"]
        assert receiver.told == []


async def test_an_address_in_the_url_must_be_in_the_certificate(fresh_dsn: str, authority: Authority) -> None:
    async with Place(fresh_dsn, authority.context("127.0.0.1")) as (http, receiver):
        await http.post(
            "/runs/wait", json={"assistant_id": "slow", "input": {"n": 0}, "webhook": receiver.url()}
        )
        assert (await log_of(http, "delivered"))[0]["answered"] == 200


async def test_an_authority_that_nobody_here_knows_is_not_believed(
    fresh_dsn: str, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "strange").mkdir()
    strange = Authority(tmp_path / "strange")
    async with Place(fresh_dsn, strange.context("hooks.example")) as (http, receiver):
        url = receiver.url("/a", "hooks.example")
        await http.post("/runs/wait", json={"assistant_id": "slow", "input": {"n": 0}, "webhook": url})
        (entry,) = await log_of(http, "failed")
        assert "certificate verify failed" in entry["reason"]
        assert receiver.told == []
