"""What a command sees of the machine, and what it can do to it."""

import asyncio
import os
import socket
from pathlib import Path

import pytest
from tests.tools.conftest import git
from tests.tools.sandbox.conftest import Commands, Make

from artel.tools.errors import ToolRefused
from artel.tools.sandbox import bubblewrap, job
from artel.tools.sandbox.bubblewrap import Place
from artel.tools.sandbox.errors import SandboxUnavailable
from artel.tools.sandbox.job import Order
from artel.tools.workspace.paths import MARKER, DeniedPath, OutsideWorkspace

pytestmark = pytest.mark.needs("bwrap")


async def test_a_command_works_in_the_workspace(run: Commands, root: Path) -> None:
    (root / "a.txt").write_text("one\n")
    said = await run("cat a.txt; echo two > b.txt; pwd; exit 3")
    assert said.startswith("[exit code 3 after ")
    assert said.endswith(f"]\none\n{root}\n")
    assert (root / "b.txt").read_text() == "two\n"
    assert (root / "b.txt").stat().st_uid == os.geteuid()


async def test_nothing_of_the_network_answers(run: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        said = await run(f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached; grep -c : /proc/net/dev")
    assert "reached" not in said
    assert said.endswith("\n1\n")  # loopback, of its own


async def test_a_socket_without_a_path_does_not_answer_either(run: Commands) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0artel-test-abstract")
        listening.listen()
        asking = (
            "import socket; socket.socket(socket.AF_UNIX).connect('\\0artel-test-abstract'); print('reached')"
        )
        said = await run(f'/usr/bin/env python3 -c "{asking}"')
    assert "reached" not in said


async def test_what_lies_beside_the_workspace_is_not_there(run: Commands, root: Path) -> None:
    said = await run("cat ../secret.txt; cat ../project-evil/secret.txt; ls -A ..")
    assert "outside" not in said
    assert said.endswith(f"\n{root.name}\n")


async def test_the_homes_of_the_machine_are_not_there(run: Commands) -> None:
    home = Path.home()
    said = await run(f"ls -A {home}; ls -A ~; cat /etc/shadow; ls /sys /run /var/log /mnt; ls /home")
    assert "root:" not in said
    assert said.endswith("\nagent\n")
    assert not {one.name for one in home.iterdir() if len(one.name) > 4} & set(said.split())


@pytest.mark.parametrize(
    "path", ["/usr/x", "/etc/x", "/x", "/dev/x", "/home/x", "/var/x", "/etc/passwd", "/bin/sh"]
)
async def test_nothing_outside_the_workspace_can_be_written(run: Commands, path: str) -> None:
    said = await run(f"test -w {path} -o -w $(dirname {path}) && echo writable; touch {path} && echo touched")
    assert "writable" not in said
    assert "touched" not in said


async def test_what_is_written_beside_the_workspace_never_arrives(run: Commands, tmp_path: Path) -> None:
    await run("echo x > ../x; echo x > ../secret.txt; echo x > ../../x")
    assert (tmp_path / "secret.txt").read_text() == "outside"
    assert not (tmp_path / "x").exists()
    assert not (tmp_path.parent / "x").exists()


async def test_nothing_of_the_kernel_can_be_written(run: Commands) -> None:
    """Only looked for and never tried: as root, without the box, it would hurt the machine."""
    files = (
        "find /proc -path '/proc/[0-9]*' -prune -o -type f -writable -exec test -f {} ';' -print 2>/dev/null"
    )
    said = await run(f"{files} | head; find /sys")
    assert "/proc/" not in said
    assert "/sys" in said


async def test_a_link_in_the_workspace_leads_nowhere(run: Commands, root: Path, tmp_path: Path) -> None:
    (root / "file").symlink_to(tmp_path / "secret.txt")
    (root / "folder").symlink_to(tmp_path / "project-evil")
    said = await run("cat file; echo pwned > file; cat folder/secret.txt; echo pwned > folder/new")
    assert "outside" not in said
    assert (tmp_path / "secret.txt").read_text() == "outside"
    assert [one.name for one in (tmp_path / "project-evil").iterdir()] == ["secret.txt"]


async def test_no_process_of_the_machine_is_seen_or_hurt(run: Commands) -> None:
    said = await run(
        f"kill -0 {os.getpid()} && echo reached; cat /proc/{os.getpid()}/environ; ls /proc | grep -c '^[0-9]'"
    )
    assert "reached" not in said
    assert int(said.splitlines()[-1]) < 10


async def test_the_secrets_of_the_server_are_not_in_its_environment(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hush")
    run = make(env={"COLOUR": "blue"})
    said = await run("env; cat /proc/*/environ | tr '\\0' '\\n'; ps axe; echo $COLOUR")
    assert "sk-hush" not in said
    assert said.endswith("\nblue\n")


async def test_a_command_inherits_no_open_file(run: Commands) -> None:
    said = await run("for fd in /proc/self/fd/*; do readlink $fd; done")
    lines = said.splitlines()[1:]
    assert lines[0] == "/dev/null"
    assert all(line.startswith("pipe:") for line in lines[1:])
    assert len(lines) == 3


async def test_a_command_has_no_rights_and_gets_none(run: Commands) -> None:
    said = await run("grep -E 'Cap|NoNewPrivs' /proc/self/status; unshare -U true && echo escaped; id -u")
    assert {line.split()[1] for line in said.splitlines() if line.startswith("Cap")} == {"0" * 16}
    assert "NoNewPrivs:\t1" in said
    assert "escaped" not in said
    assert said.endswith("\n1000\n")


async def test_tmp_and_home_are_its_own_and_gone_afterwards(run: Commands) -> None:
    said = await run("echo 1 > /tmp/artel-x; echo 2 > ~/y; echo 3 > /var/tmp/artel-z; cat /tmp/artel-* ~/y")
    assert said.endswith("]\n1\n3\n2\n")
    assert "artel-x" not in os.listdir("/tmp")  # noqa: PTH208 - names only
    assert (await run("ls -A ~; ls -A /tmp | grep artel")).endswith("(no output)")


async def test_the_data_folder_is_hidden_wherever_it_lies(make: Make, root: Path) -> None:
    data, other = root / "deep" / "data", root / "other"
    for folder in (data, other):
        folder.mkdir(parents=True)
        (folder / "secret").write_text("hush")
    (other / MARKER).touch()
    said = await make(data=data)(
        "cat deep/data/secret other/secret; echo x > deep/data/y; mv other moved; ls"
    )
    assert "hush" not in said
    assert said.endswith("\ndeep\nother\n")
    assert [one.name for one in data.iterdir()] == ["secret"]


async def test_a_workspace_in_the_data_folder_sees_nothing_else_of_it(
    make: Make, root: Path, tmp_path: Path
) -> None:
    run = make(data=tmp_path, roots=(tmp_path, tmp_path / "project-evil"), readable=(tmp_path,))
    said = await run(
        "cat ../secret.txt ../project-evil/secret.txt; touch ../x; echo fine > a; ls -A ..; cat a"
    )
    assert "outside" not in said
    assert said.endswith("\nfine\n")
    assert (root / "a").exists()


async def test_further_folders_can_be_read_where_the_settings_say_so(make: Make, tmp_path: Path) -> None:
    run = make(readable=(tmp_path / "project-evil",))
    said = await run("cat ../project-evil/secret.txt; echo x > ../project-evil/y")
    assert "outside" in said
    assert "Read-only" in said


async def test_git_can_be_asked_but_its_hooks_and_settings_not_changed(
    run: Commands, repository: Path
) -> None:
    nested = repository / "sub"
    nested.mkdir()
    git(nested, "init", "-q")
    said = await run(
        "git status --short && echo asked; for repo in . sub; do "
        "echo evil > $repo/.git/hooks/post-checkout; echo evil >> $repo/.git/config; "
        "echo x > $repo/.git/commondir; mv $repo/.git $repo/moved; rmdir $repo/.git/hooks; done"
    )
    assert "asked" in said
    for repo in (repository, nested):
        assert not (repo / ".git/hooks/post-checkout").exists()
        assert not (repo / ".git/commondir").exists()
        assert "evil" not in (repo / ".git/config").read_text()


async def test_git_finds_the_repository_of_a_worktree_and_cannot_change_it(
    make: Make, root: Path, tmp_path: Path
) -> None:
    main = tmp_path / "elsewhere"
    main.mkdir()
    git(main, "init", "-q")
    git(main, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "first")
    (main / "secret.txt").write_text("not for the box")
    git(main, "worktree", "add", "-q", "-b", "side", str(root))
    run = make(data=tmp_path / "data")
    said = await run(
        f"git log --format=%s; git status --short --branch; ls {main}; cd {main}/.git; "
        "echo evil > hooks/post-checkout; echo evil >> config; git commit --allow-empty -qm evil"
    )
    assert ("first" in said, "## side" in said, "secret.txt" in said) == (True, True, False), said
    assert not (main / ".git/hooks/post-checkout").exists()
    assert "evil" not in (main / ".git/config").read_text()
    assert git(main, "rev-list", "--all", "--count").stdout == b"1\n"


async def test_a_pointer_to_a_repository_that_does_not_know_the_workspace_opens_nothing(
    run: Commands, root: Path, tmp_path: Path
) -> None:
    main = tmp_path / "elsewhere"
    main.mkdir()
    git(main, "init", "-q")
    git(main, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "first")
    git(main, "worktree", "add", "-q", str(tmp_path / "side"))
    (root / ".git").write_text(f"gitdir: {main}/.git/worktrees/side\n")
    assert "first" not in await run(f"git log; ls {main}/.git")


async def test_a_workspace_whose_git_is_a_link_runs_nothing(
    run: Commands, root: Path, tmp_path: Path
) -> None:
    (root / ".git").symlink_to(tmp_path / "project-evil")
    with pytest.raises(ToolRefused, match=r"\.git is a link"):
        await run("cat .git/secret.txt")


async def test_a_neighbour_of_the_workspace_does_not_pass_for_a_repository_in_it(
    run: Commands, root: Path, tmp_path: Path
) -> None:
    git(tmp_path / "project-evil", "init", "-q")
    (root / "sub").symlink_to(tmp_path / "project-evil")
    assert "HEAD" not in await run("ls sub/.git sub")


async def test_very_many_repositories_side_by_side_are_refused(
    run: Commands, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "MAX_REPOSITORIES", 3)
    for number in range(4):
        (root / str(number) / ".git").mkdir(parents=True)
    with pytest.raises(ToolRefused, match="holds 4 repositories; commands run where there are at most 3"):
        await run("true")


async def test_a_workspace_that_became_a_link_runs_nothing(run: Commands, tmp_path: Path) -> None:
    last, inner = tmp_path / "last", tmp_path / "a" / "project-evil"
    last.symlink_to(tmp_path / "project-evil")
    (tmp_path / "a").symlink_to(tmp_path)
    with pytest.raises(ToolRefused, match="cannot be opened"):
        await run.sandbox.run(Order("cat secret.txt", Place(last, last), "t", 5))
    with pytest.raises(OutsideWorkspace, match="became one"):
        await run.sandbox.run(Order("cat secret.txt", Place(inner, inner), "t", 5))


@pytest.mark.parametrize("folder", ["/", "/usr", "/etc"])
async def test_the_folders_of_the_system_are_no_workspace(run: Commands, folder: str) -> None:
    with pytest.raises(ToolRefused, match="the system's own folders"):
        await run.sandbox.run(Order("true", Place(Path(folder), Path(folder)), "t", 5))


@pytest.mark.parametrize(
    ("workdir", "kind"), [("..", OutsideWorkspace), ("out", OutsideWorkspace), (".git", DeniedPath)]
)
async def test_a_command_begins_inside_the_workspace(
    run: Commands, root: Path, workdir: str, kind: type[Exception]
) -> None:
    (root / "out").symlink_to("/")
    with pytest.raises(kind):
        await run("pwd", workdir=workdir)
    (root / "sub").mkdir()
    assert (await run("pwd", workdir="sub")).endswith(f"{root}/sub\n")
    with pytest.raises(ToolRefused, match="workdir must be a folder"):
        await run("pwd", workdir="nowhere")


async def test_without_bubblewrap_nothing_runs(
    run: Commands, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(SandboxUnavailable, match=r"need bubblewrap.*apt install bubblewrap"):
        await run("touch ran")
    (root / "bwrap").write_text("#!/bin/sh\ntouch owned\n")
    (root / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", ".")
    monkeypatch.chdir(root)
    with pytest.raises(SandboxUnavailable):
        await run("touch ran")
    assert os.listdir(root) == ["bwrap"]  # noqa: PTH208 - names only


async def test_without_bash_nothing_runs(run: Commands, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line was judged as bash, and run by whatever /bin/sh is: dash runs other commands of it."""
    monkeypatch.setattr(job, "_find_bash", lambda: "")
    with pytest.raises(SandboxUnavailable, match="judged and run as bash, and this server has none"):
        await run("touch ran")
    assert not (root / "ran").exists()


async def test_a_box_that_cannot_be_made_is_told_in_its_own_words(
    run: Commands, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bwrap").write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n"
    )
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(
        SandboxUnavailable, match=r"No permissions to create new namespace\. No command was run"
    ):
        await run("touch ran")
    assert not (root / "ran").exists()


async def test_commands_can_be_switched_off_and_run_unboxed_only_where_it_is_said(
    make: Make, root: Path, tmp_path: Path
) -> None:
    with pytest.raises(SandboxUnavailable, match="off"):
        await make(mode="off")("touch ran")
    assert not (root / "ran").exists()
    assert (await make(mode="host")("cat ../secret.txt; exit 4")).startswith("[exit code 4 after ")


async def test_commands_side_by_side_do_not_see_each_other(run: Commands) -> None:
    many = await asyncio.gather(
        *(run(f"echo {n} > /tmp/mine-{n}; sleep 0.1; cat /tmp/mine-*") for n in range(8))
    )
    assert [said.splitlines()[1:] for said in many] == [[str(n)] for n in range(8)]
