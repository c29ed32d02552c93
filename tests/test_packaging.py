"""The wheel: what somebody who installs it gets."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("graphs", "prompts", "server", "storage", "tools")
PAGE = Path("server/static/index.html")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The wheel that is built of what git holds, and of the page where it is built."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    if (ROOT / PAGE).exists():
        shutil.copytree(ROOT / PAGE.parent, copy / PAGE.parent)
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=copy, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    return zipfile.Path(built)


def tracked() -> list[Path]:
    """The paths that git holds and that are there, links included."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [Path(name) for name in listed.decode().split("\0") if name]
    return [path for path in paths if (ROOT / path).exists()]


def names(wheel: zipfile.Path) -> set[str]:
    """The files in the wheel, without folders."""
    return {name for name in wheel.root.namelist() if not name.endswith("/")}


def test_the_wheel_installs_one_package_and_no_loose_folder(wheel: zipfile.Path) -> None:
    """Folders called `tools` or `server` in site-packages would hide those of other people."""
    tops = {name.partition("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"artel"}


@pytest.mark.parametrize("layer", LAYERS)
def test_the_wheel_holds_each_file_of_a_layer(wheel: zipfile.Path, layer: str) -> None:
    """A link is lost in a build: without the mapping a layer, a prompt or a migration is missing."""
    ours = {f"artel/{path.as_posix()}" for path in tracked() if path.parts[0] == layer}
    built = {name for name in names(wheel) if name.startswith(f"artel/{layer}/")}
    assert {name for name in built if "/static/" not in name} == ours


def test_the_wheel_holds_the_data_that_code_reads(wheel: zipfile.Path) -> None:
    kinds = {
        "roles": "artel/prompts/coder/role.md",
        "prices": "artel/graphs/models/prices.json",
        "tool prose": "artel/prompts/tools/read_file.md",
        "schema": "artel/storage/migrations/versions/0001_pre_first.sql",
        "word lists": "artel/graphs/models/rules/russian.txt",
    }
    assert not {kind for kind, name in kinds.items() if name not in names(wheel)}


@pytest.mark.skipif(not (ROOT / PAGE).exists(), reason="the page is not built")
def test_the_wheel_holds_the_page(wheel: zipfile.Path) -> None:
    page = wheel.joinpath("artel", PAGE.as_posix()).read_text()
    scripts = [part.partition('"')[0] for part in page.split('src="/')[1:]]
    assert scripts
    assert all(f"artel/server/static/{script}" in names(wheel) for script in scripts)


def test_the_wheel_brings_the_command_and_the_licence(wheel: zipfile.Path) -> None:
    (info,) = [one for one in wheel.iterdir() if one.name.endswith(".dist-info")]
    assert "artel = artel.server.__main__:main" in info.joinpath("entry_points.txt").read_text()
    assert "License-Expression: Apache-2.0" in info.joinpath("METADATA").read_text()
    assert "Apache License" in info.joinpath("licenses", "LICENSE").read_text()


def test_an_unpacked_wheel_imports_without_the_checkout(wheel: zipfile.Path, tmp_path: Path) -> None:
    """The checkout's folders beside it must not be what makes it work."""
    wheel.root.extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import artel\n"
        "from artel.graphs.registry import AGENTS\n"
        "from artel.prompts import __file__ as prompts\n"
        "print(artel.__file__, prompts, *AGENTS)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.count(str(tmp_path)) == 2
    assert "coder" in done.stdout
