"""Files that a person gives to a conversation: put where its agents read, under names that harm nobody."""

import os
import re
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.workspace import opening, paths, writing
from artel.tools.workspace.paths import NoSuchFile, OutsideWorkspace, Place

FOLDER = ".attachments"
UNSEEN = b"*\n"  # of its .gitignore: what a person gave is no part of the project
MAX_FILES = 200  # of one conversation
MAX_NAME_BYTES = 120
_UNSAFE = re.compile(r"""[\s"'`<>|?*:&$\\/]+""")


class TooManyFiles(ToolRefused):
    """The conversation has as many attached files as it may."""

    code = "too_many_files"


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that a person gave; `path` is from the workspace."""

    name: str
    path: str
    bytes: int
    sha256: str


def attach(root: Path, conversation: str, name: str, data: bytes) -> Attached:
    """Put `data` into the conversation's folder in the workspace `root` and say where it is.

    A name that is taken gets a number, and the same file given twice is one file.

    Raises:
        OutsideWorkspace: the folder is a link, or became one.
        TooManyFiles: there are MAX_FILES already.
    """
    home = _home(root, FOLDER)
    place = _home(root, f"{FOLDER}/{conversation}")
    with opening.folder(home, make=True) as folder:
        _hide(folder, home)
    with opening.folder(place, make=True) as folder:
        writing.lock([folder])
        with os.scandir(folder) as scanned:
            known = {entry.name for entry in scanned}
        wanted = place.child(_free(folder, place, cleaned(name), data, known))
        if wanted.name not in known:
            if len(known) >= MAX_FILES:
                raise TooManyFiles(f"a conversation has {MAX_FILES} attached files at most")
            staged = writing.stage(folder, wanted, data, None)
            writing.land(folder, wanted, staged, over=False)
            writing.settle(folder, wanted)
    return Attached(wanted.name, wanted.relative, len(data), sha256(data).hexdigest())


def cleaned(name: str) -> str:
    r"""Return a file name that is one everywhere, and that reads as what it is.

    >>> cleaned("../../etc/pass wd"), cleaned("C:\\temp\\a\u202egpj.exe"), cleaned(".git"), cleaned("")
    ('pass-wd', 'agpj.exe', 'git', 'file')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(char for char in last if unicodedata.category(char)[0] != "C" or char.isspace())
    plain = _UNSAFE.sub("-", seen).strip("-. ~")
    stem, ending = os.path.splitext(plain)  # noqa: PTH122 - a name, not a path
    ending = ending if len(ending.encode()) <= MAX_NAME_BYTES // 4 else ""
    stem = (
        (stem if ending else plain).encode()[: MAX_NAME_BYTES - len(ending.encode())].decode(errors="ignore")
    )
    whole = f"{stem}{ending}".strip("-. ")
    return f"file-{whole}" if paths.is_denied(whole) else whole or "file"


def _home(root: Path, path: str) -> Place:
    place = paths.resolve(root, path)
    if place.relative != path:
        raise OutsideWorkspace(f"{path} is a link to {place.shown}; what is attached has a folder of its own")
    return place


def _hide(folder: int, home: Place) -> None:
    rules = home.child(".gitignore")
    if writing.found(folder, rules) is None:
        writing.lock([folder])
        if writing.found(folder, rules) is None:
            writing.land(folder, rules, writing.stage(folder, rules, UNSEEN, None), over=False)


def _free(folder: int, place: Place, name: str, data: bytes, known: set[str]) -> str:
    """Return a name that nothing has yet, or that this very file has."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    for number in range(1, MAX_FILES + 2):
        tried = name if number == 1 else f"{stem}-{number}{ending}"
        if tried not in known or _holds(folder, place.child(tried), data):
            return tried
    raise TooManyFiles(f"there are {MAX_FILES} attached files named like {name}")


def _holds(folder: int, place: Place, data: bytes) -> bool:
    try:
        return opening.read_entry(folder, place, limit=len(data)).data == data
    except (ToolRefused, NoSuchFile):
        return False
