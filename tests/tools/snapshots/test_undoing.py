"""Whatever agents and people did: an undo takes back the agents' work and loses no one else's."""

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st

from artel.tools.snapshots.grafting import graft
from artel.tools.snapshots.repository import repository_of
from artel.tools.snapshots.restoring import put_back
from artel.tools.snapshots.taking import take
from artel.tools.snapshots.undoing import Step, reverts_of

Who: TypeAlias = Literal["agent", "person"]
PATHS = ("a", "b", "d/c")
DEEDS = st.lists(
    st.tuples(st.sampled_from(("agent", "person")), st.sampled_from(PATHS), st.booleans()), max_size=8
)


def content(root: Path, path: str) -> str | None:
    file = root / path
    return file.read_text() if file.exists() else None


@settings(max_examples=25, deadline=None)
@given(deeds=DEEDS)
@example(deeds=[("agent", "a", True), ("agent", "a", False), ("person", "a", True)])
def test_an_undo_takes_back_the_work_of_agents_and_loses_no_one_else_s(
    deeds: list[tuple[Who, str, bool]],
) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "work"
        (root / "d").mkdir(parents=True)
        (root / "a").write_text("first")
        kept = repository_of(root.parent / "snapshots", root)
        new, steps = count(), list[Step]()
        found: dict[str, str | None] = {}
        last: dict[str, Who] = {}
        mixed: set[str] = set()
        known: dict[str, set[str | None]] = {}
        for who, path, removes in deeds:
            before, was = take(kept), content(root, path)
            if removes:
                (root / path).unlink(missing_ok=True)
            else:
                (root / path).write_text(f"{next(new)}")  # like nothing that ever was
            if was == content(root, path):
                continue
            last[path] = who
            if who == "agent":
                found.setdefault(path, was)
                known.setdefault(path, set()).update((was, content(root, path)))
                steps.append(Step(before, graft(kept, before, [path])))
            elif path in found:
                mixed.add(path)
        ends = {path: content(root, path) for path in PATHS}

        if not steps:
            return
        report = put_back(kept, reverts_of(kept, steps, take(kept)), steps[0].before)
        left = {one.path for one in report.conflicts}
        for path in PATHS:
            if path in found and path not in mixed:
                assert (content(root, path), path in left) == (found[path], False)
            elif path not in found or (last[path] == "person" and ends[path] not in known[path]):
                assert content(root, path) == ends[path]
            else:
                assert content(root, path) in (ends[path], found[path])

        put_back(kept, reverts_of(kept, [Step(report.before, report.after)], take(kept)), report.before)
        assert {path: content(root, path) for path in PATHS} == ends
