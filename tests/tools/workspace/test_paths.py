"""Paths lead into the workspace or nowhere."""

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artel.tools.errors import ToolRefused
from artel.tools.workspace import paths
from artel.tools.workspace.paths import (
    BadPath,
    DeniedPath,
    OutsideWorkspace,
    WrongKind,
    resolve,
    resolve_workspace,
)


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "../project-evil/secret.txt",
        "a/../../secret.txt",
        "/etc/passwd",
        "/",
        "..",
        "./../project-evil",
        "a/b/c/../../../../secret.txt",
        "//etc/passwd",
    ],
)
def test_a_path_that_leads_out_is_refused(root: Path, path: str) -> None:
    with pytest.raises(OutsideWorkspace):
        resolve(root, path)


@pytest.mark.parametrize(
    "path",
    ["a..b.py", ".github/ci.yml", "...", "..a", "a../b", ".gitignore", ".gitattributes", "git/x", ".x/y"],
)
def test_dots_in_names_are_ordinary(root: Path, path: str) -> None:
    assert resolve(root, path).relative == path


def test_an_absolute_path_below_the_workspace_is_taken(root: Path) -> None:
    assert resolve(root, f"{root}/src/a.py").relative == "src/a.py"
    assert resolve(root, str(root)).relative == "."


def test_a_link_in_any_component_that_leads_out_is_refused(root: Path) -> None:
    (root / "file").symlink_to("../secret.txt")
    (root / "folder").symlink_to("..")
    (root / "absolute").symlink_to("/etc")
    (root / "chain").symlink_to("folder")
    (root / "dangling").symlink_to("../not-yet.txt")
    for path in (
        "file",
        "folder/secret.txt",
        "absolute/passwd",
        "chain/secret.txt",
        "dangling",
        "folder/project-evil",
    ):
        with pytest.raises(OutsideWorkspace):
            resolve(root, path)


def test_a_link_that_stays_inside_leads_to_its_target(root: Path) -> None:
    (root / "src").mkdir()
    (root / "lib").symlink_to("src")
    (root / "round").symlink_to("../project/src")
    assert resolve(root, "lib/a.py").relative == "src/a.py"
    assert resolve(root, "round/a.py").relative == "src/a.py"


def test_dots_after_a_link_mean_the_parent_of_its_target(root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "link").symlink_to("a/b")
    assert resolve(root, "link/../x").relative == "a/x"


def test_a_loop_of_links_is_refused(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(BadPath, match="loop"):
        resolve(root, "a")


def test_a_workspace_reached_through_a_link_is_the_same(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert resolve_workspace(tmp_path / "alias", [tmp_path]) == root
    assert resolve(root, f"{tmp_path}/alias/x").relative == "x"
    with pytest.raises(OutsideWorkspace, match="is a link"):
        resolve(tmp_path / "alias", "x")


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        "sub/.git/hooks/pre-commit",
        ".git",
        ".GIT/config",
        ".Git/config",
        ".git./config",
        ".git /config",
        ".git::$INDEX_ALLOCATION/config",
        "git~1/config",
        ".g\u200cit/config",
        ".\uff47\uff49\uff54/config",
        "x/../.git/config",
        ".artel/pg/base",
        ".ARTEL/x",
    ],
)
def test_git_and_the_data_folder_are_denied_however_they_are_spelled(root: Path, path: str) -> None:
    with pytest.raises(DeniedPath):
        resolve(root, path)


def test_a_link_into_git_is_denied(root: Path) -> None:
    (root / ".git").mkdir()
    (root / "innocent").symlink_to(".git")
    with pytest.raises(DeniedPath):
        resolve(root, "innocent/config")


def test_a_data_folder_of_any_name_is_denied_by_its_mark(root: Path) -> None:
    data = root / "var" / "state"
    data.mkdir(parents=True)
    (data / paths.MARKER).touch()
    with pytest.raises(DeniedPath):
        resolve(root, "var/state/postgres/x")
    assert resolve(root, "var/other").relative == "var/other"


@pytest.mark.parametrize("path", ["", "a\0b", "a\nb", "\x1b[31m", "\ud800", "~", "~/.ssh/id_rsa", "a\x7f"])
def test_what_cannot_be_a_path_is_refused(root: Path, path: str) -> None:
    with pytest.raises(BadPath):
        resolve(root, path)


def test_a_name_means_the_file_whatever_its_unicode_form(root: Path) -> None:
    on_disk = unicodedata.normalize("NFD", "файл-й.txt")
    (root / on_disk).touch()
    assert resolve(root, unicodedata.normalize("NFC", on_disk)).relative == on_disk


def test_a_link_found_by_its_unicode_form_must_stay_inside_too(root: Path) -> None:
    (root / unicodedata.normalize("NFD", "й")).symlink_to("../secret.txt")
    with pytest.raises(OutsideWorkspace):
        resolve(root, unicodedata.normalize("NFC", "й"))


def test_a_workspace_lies_below_an_allowed_root(root: Path, tmp_path: Path) -> None:
    (root / "inner").mkdir()
    assert resolve_workspace(root, [root]) == root
    assert resolve_workspace(str(root / "inner"), [root]) == root / "inner"
    for outside in (tmp_path, tmp_path / "project-evil", "/", "/etc"):
        with pytest.raises(OutsideWorkspace):
            resolve_workspace(outside, [root])
    with pytest.raises(OutsideWorkspace):
        resolve_workspace(root, [])


def test_a_workspace_is_an_absolute_path_of_a_folder(root: Path) -> None:
    (root / "file").touch()
    for path, error in (
        ("relative", BadPath),
        ("", BadPath),
        (root / "file", WrongKind),
        (root / "none", WrongKind),
    ):
        with pytest.raises(error):
            resolve_workspace(path, [root])


def test_a_workspace_cannot_be_git_or_a_data_folder_unless_that_is_its_own_root(root: Path) -> None:
    data = root / ".artel"
    (data / "workspaces" / "one").mkdir(parents=True)
    (data / paths.MARKER).touch()
    (root / ".git").mkdir()
    roots = [root, data / "workspaces"]
    assert resolve_workspace(data / "workspaces" / "one", roots) == data / "workspaces" / "one"
    for denied in (root / ".git", data):
        with pytest.raises(DeniedPath):
            resolve_workspace(denied, roots)


def test_a_link_to_a_workspace_elsewhere_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "out").symlink_to(tmp_path / "project-evil")
    with pytest.raises(OutsideWorkspace):
        resolve_workspace(root / "out", [root])


COMPONENTS = st.one_of(
    st.sampled_from(["..", ".", "", "a", "in", "out", "up", "loop", ".git", "~", "b/..", "\0", "й"]),
    st.text(max_size=8),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
@given(parts=st.lists(COMPONENTS, max_size=8), absolute=st.sampled_from(["", "/", "//", "root/"]))
def test_whatever_is_asked_leads_inside_or_is_refused(root: Path, parts: list[str], absolute: str) -> None:
    for name, target in (("in", "a"), ("out", "/etc"), ("up", ".."), ("loop", "loop")):
        if not os.path.lexists(root / name):
            (root / name).symlink_to(target)
    (root / "a").mkdir(exist_ok=True)
    path = absolute.replace("root", str(root)) + "/".join(parts)
    try:
        place = resolve(root, path)
    except ToolRefused:
        return
    real = Path(os.path.realpath(root.joinpath(*place.parts)))
    assert real.is_relative_to(root)
    assert real == root.joinpath(*place.parts)
    assert not any(paths.is_denied(part) for part in place.parts)
