"""Changes made one at a time, as most tests have them."""

from pathlib import Path

from artel.tools.workspace import changeset
from artel.tools.workspace.change import Change
from artel.tools.workspace.changeset import Applied, ChangeSet


def apply(root: Path, change: Change) -> Applied:
    """Make one change, as a set of its own."""
    (applied,) = changeset.apply(root, ChangeSet((change,)))
    return applied
