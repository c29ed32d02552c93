"""Commands that take more than their share."""

import asyncio
import resource
import sys
import time
from pathlib import Path

import pytest
from tests.tools.sandbox.conftest import Commands, Make, Marked

from artel.tools.errors import ToolRefused

pytestmark = pytest.mark.needs("bwrap")


async def test_a_fork_bomb_is_defused(make: Make, marked: Marked) -> None:
    run, began = make(processes=60), time.monotonic()
    said = await run(f"{marked.sleep} & f() {{ f | f & }}; f; sleep 20", timeout=20)
    assert "the limit of 60 processes" in said or "fork" in said
    assert time.monotonic() - began < 25
    assert await marked.count(0, within_s=2)


async def test_a_process_gets_no_more_memory_than_it_may(make: Make) -> None:
    said = await make(memory_mb=100)("python3 -c 'bytearray(200 << 20)'; echo $?")
    assert "MemoryError" in said
    assert said.endswith("\n1\n")


async def test_many_processes_together_get_no_more_memory_either(make: Make) -> None:
    hog = "python3 -c 'import time; held = b\"x\" * (60 << 20); time.sleep(15)'"
    said = await make(memory_mb=150)(f"for n in 1 2 3 4 5 6; do {hog} & done; wait")
    assert "the limit of 150 MB of memory" in said


async def test_a_file_does_not_grow_without_end(make: Make, root: Path) -> None:
    said = await make(file_mb=3)(
        "head -c 50000000 /dev/zero > big; echo $?; exec head -c 50000000 /dev/zero > big"
    )
    assert "SIGXFSZ: the limit of the size of a file" in said
    assert (root / "big").stat().st_size == 3 << 20


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/home/agent"])
async def test_what_is_kept_in_memory_has_an_end_too(make: Make, folder: str) -> None:
    said = await make(tmp_mb=2)(f"head -c 9000000 /dev/zero > {folder}/big; wc -c < {folder}/big")
    assert "No space left on device" in said
    assert said.endswith("\n2097152\n")


async def test_a_full_disk_stops_and_refuses_commands(
    make: Make, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ToolRefused, match=r"\d+ MB are free .* only with 999999999"):
        await make(disk_free_mb=999_999_999)("touch ran")
    assert not (root / "ran").exists()
    free = iter([10_000, 10_000])
    monkeypatch.setattr("artel.tools.sandbox.watch.free_mb", lambda _: next(free, 100))
    assert "less than 512 MB left on the disk" in await make()("sleep 20")


async def test_open_files_and_processor_time_are_counted(make: Make) -> None:
    run = make(open_files=30, cpu_s=1)
    many = 'for n in {3..40}; do eval "exec $n</dev/null"; done'
    assert "Too many open files" in await run(many)
    assert "SIGXCPU: the limit of processor time" in await run("while :; do :; done")


async def test_a_command_is_stopped_in_time(run: Commands) -> None:
    began = time.monotonic()
    said = await run("echo begun; trap '' TERM INT HUP; sleep 30; sleep 30", timeout=1)
    assert said.startswith("[stopped after ")
    assert said.endswith("its time limit of 1 s]\nbegun\n")
    assert time.monotonic() - began < 15


async def test_a_flood_is_cut_and_takes_no_memory(make: Make) -> None:
    run = make(output_mb=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = await run("echo first; yes | head -c 100000000; echo; echo last; exit 2")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KB
    assert said.startswith("[exit code 2 after ")
    assert said.endswith("\nlast\n")
    assert "\nfirst\n" in said
    assert len(said) < 17_000
    assert "[99983628 bytes cut; read_output(job=" in said


SERVER = """
import asyncio, resource, sys
from pathlib import Path
from artel.tools.registry import TOOLS
from artel.tools.tool import Work
resource.setrlimit(resource.RLIMIT_NOFILE, (900, 900))
args = TOOLS["execute"].parse({"command": "ulimit -n"})
print(asyncio.run(TOOLS["execute"].act(Work(Path(sys.argv[1]), "t", "c"), args)).text)
"""


async def test_a_lower_limit_of_the_server_holds_for_its_commands(root: Path) -> None:
    words = [sys.executable, "-c", SERVER, str(root)]
    server = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    said, _ = await server.communicate()
    assert said.decode().endswith("\n900\n\n")
