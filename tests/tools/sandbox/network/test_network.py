"""Commands in their box with some hosts to reach: those, and nothing else."""

import asyncio
import os
import shlex
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import pytest
from tests.fakes.processes import children
from tests.fakes.site import Site, answered, site
from tests.tools.sandbox.conftest import Commands

from artel.tools.sandbox.errors import SandboxUnavailable
from artel.tools.sandbox.network import ports
from artel.tools.sandbox.network.network import Network
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.web.addresses import Guard

pytestmark = pytest.mark.needs("bwrap")

Open: TypeAlias = Callable[..., Commands]

CONNECTS = """
import socket, sys
for family, to in (
    (socket.AF_INET, ("127.0.0.1", {port})),
    (socket.AF_INET, ("169.254.169.254", 80)),
    (socket.AF_INET, ("192.0.2.1", 80)),
    (socket.AF_INET6, ("2001:db8::1", 80)),
    (socket.AF_UNIX, "\\0artel-test-abstract"),
):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            one = socket.socket(family, kind)
            one.settimeout(1)
            one.connect(to)
            one.send(b"x")
            if kind == socket.SOCK_STREAM or to[0] != "127.0.0.1":
                print("reached", to, kind)
        except OSError:
            pass
try:
    print("reached", socket.getaddrinfo("example.com", 80))
except OSError:
    print("no names")
"""
URLLIB = "import urllib.request as u; print(u.urlopen({url!r}).read().decode())"


@pytest.fixture
async def opened() -> AsyncIterator[Site]:
    async with site(a=answered("hello"), big=answered(b"x" * 700_000)) as one:
        yield one


@pytest.fixture
async def online(root: Path, opened: Site) -> AsyncIterator[Open]:
    """Makes commands that may reach `site.example`, which is this machine."""
    async with AsyncExitStack() as made:

        def one(**settings: Any) -> Commands:
            given = {"hosts": (f"site.example:{opened.port}",), **settings}
            network = Network(Guard(loopback=True, resolve=opened.resolve))
            sandbox = Sandbox(SandboxSettings.model_validate(given), network=network)
            made.push_async_callback(sandbox.aclose)
            return Commands(root, sandbox)

        yield one


@pytest.fixture
def run(online: Open) -> Commands:
    return online()


def python(code: str) -> str:
    return f"python3 -c {shlex.quote(code)}"


def sockets() -> int:
    """How many sockets this process listens at, in whatever namespace."""
    return sum(map(_listens, list(map(int, os.listdir("/proc/self/fd")))))  # noqa: PTH208 - numbers


@pytest.mark.needs("curl")
async def test_curl_reaches_a_listed_host_by_both_ways_of_a_proxy(run: Commands, opened: Site) -> None:
    url = opened.url("/a")
    assert (await run(f"curl -sS {url}")).endswith("]\nhello")
    assert (await run(f"curl -sS --proxytunnel {url}")).endswith("]\nhello")
    assert opened.looked_up == ["site.example"] * 2


async def test_so_does_the_library_of_python(run: Commands, opened: Site) -> None:
    assert (await run(python(URLLIB.format(url=opened.url("/a"))))).endswith("]\nhello\n")


@pytest.mark.needs("curl")
async def test_another_host_is_refused_and_the_model_told_why(run: Commands, opened: Site) -> None:
    said = await run("curl -sS http://evil.example/; curl -sS https://evil.example/")
    why = f"host evil.example is not among ARTEL_SANDBOX__HOSTS (site.example:{opened.port})"
    assert "response 403" in said
    assert said.count(why) == 2
    assert said.endswith(f"\n[network: {why}]")
    assert opened.asked == []


async def test_nothing_is_reached_but_through_the_proxy(run: Commands, opened: Site) -> None:
    said = await run(f"{python(CONNECTS.format(port=opened.port))}; cat /proc/net/route | wc -l")
    assert said.endswith("]\nno names\n1\n")
    assert opened.asked == []


async def test_a_command_inherits_no_open_file_and_finds_no_socket(run: Commands) -> None:
    said = await run("for fd in /proc/self/fd/*; do readlink $fd; done; find / -type s 2>/dev/null")
    lines = said.splitlines()[1:]
    assert lines[0] == "/dev/null"
    assert all(line.startswith("pipe:") for line in lines[1:])
    assert len(lines) == 3


async def test_a_command_without_hosts_has_no_proxy_while_another_has(online: Open, opened: Site) -> None:
    with_hosts, without = online(), online(hosts=())
    await with_hosts.background("sleep 20")
    said = await without(f"exec 3<>/dev/tcp/127.0.0.1/3128 && echo reached; env; {_get(opened)}")
    assert "reached" not in said
    assert "PROXY" not in said
    assert opened.asked == []


async def test_commands_side_by_side_have_budgets_of_their_own(online: Open, opened: Site) -> None:
    run = online(traffic_mb=1)
    get = _get(opened, "/big")
    many = await asyncio.gather(*(run(get) for _ in range(4)))
    assert all(said.endswith("]\n700000\n") for said in many)
    said = await run(f"{get}; {get}")
    assert "its limit of 1 MB of traffic (ARTEL_SANDBOX__TRAFFIC_MB) is used up" in said


async def test_what_outlives_a_command_reaches_nothing(run: Commands, opened: Site) -> None:
    before = sockets()
    await run(f"(sleep 0.3; {_get(opened)}) & setsid -f sh -c 'sleep 0.3; {_get(opened)}'; true")
    assert sockets() == before
    await asyncio.sleep(0.5)
    assert opened.asked == []


async def test_a_killed_command_leaves_no_port_and_no_connection(run: Commands, opened: Site) -> None:
    holding = asyncio.Event()

    async def hold(writer: asyncio.StreamWriter) -> None:
        del writer
        holding.set()
        await asyncio.sleep(30)

    opened.answers["/hold"] = hold
    at_first = sockets()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only
    job = await run.background(_get(opened, "/hold"))
    await asyncio.wait_for(holding.wait(), 20)
    assert sockets() == at_first + 1
    process = run.sandbox.job("thread", job)._process
    assert process
    os.kill(process._init_pid, signal.SIGKILL)
    await asyncio.wait({run.sandbox.job("thread", job).ended}, timeout=5)
    await asyncio.sleep(0.05)
    for task in opened.serving:
        task.cancel()
    await asyncio.sleep(0.05)
    assert sockets() == at_first
    assert len(os.listdir("/proc/self/fd")) - before <= 1  # noqa: PTH208 - the helper that opens ports stays


async def test_a_helper_that_was_killed_is_started_again_and_ends_with_the_sandbox(
    run: Commands, opened: Site
) -> None:
    assert (await run(_get(opened))).endswith("]\n5\n")
    (helper,) = _helpers()
    helper.kill()
    assert (await run(_get(opened))).endswith("]\n5\n")
    await run.sandbox.aclose()
    assert _helpers() == []


async def test_the_helper_does_not_outlive_a_server_that_was_killed(run: Commands, opened: Site) -> None:
    await run("true")
    (helper,) = _helpers()
    asking = run.sandbox._network._ports._asking
    assert asking
    asking.close()  # as the kernel does it for the dead
    assert await asyncio.to_thread(helper.wait, 5) == 0


async def test_where_no_port_can_be_opened_nothing_runs(
    run: Commands, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "opener.py"
    broken.write_text(ports.OPENER.read_text().replace("libc.setns(fd, kind)", "libc.setns(-1, kind)"))
    monkeypatch.setattr(ports, "OPENER", broken)
    with pytest.raises(SandboxUnavailable, match=r"No port could be opened.*setns: Bad file descriptor"):
        await run("touch ran")
    broken.write_text("")
    await run.sandbox.aclose()
    with pytest.raises(SandboxUnavailable, match="the helper does not answer"):
        await run("touch ran")
    assert not (root / "ran").exists()


async def test_a_box_that_cannot_be_made_is_still_told_in_its_own_words(
    run: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2; exit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SandboxUnavailable, match=r"No permissions\. No command was run"):
        await run("true")


async def test_what_a_host_sent_is_text_from_outside(run: Commands, opened: Site) -> None:
    tool = run.tool("execute")
    assert not (await tool("true")).untrusted
    got = await tool(_get(opened))
    assert got.untrusted
    assert got.known == {"exit_code": 0, "hosts": f"site.example:{opened.port}"}
    assert (await tool("sleep 5", background=True)).untrusted


def _get(opened: Site, path: str = "/a") -> str:
    return f'python3 -c "import urllib.request as u; print(len(u.urlopen(\\"{opened.url(path)}\\").read()))"'


def _listens(fd: int) -> bool:
    try:
        if not os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):  # noqa: PTH115 - no file
            return False
    except OSError:  # it was the list's own
        return False
    with socket.socket(fileno=os.dup(fd)) as one:
        return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _helpers() -> list[psutil.Process]:
    return [psutil.Process(pid) for pid, words in children() if any("opener.py" in word for word in words)]
