"""Chains of hashes: each entry of the audit log says what it is, and which one it follows.

Nothing here asks the database, so that an export is checked as the table is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson

from artel.storage.encoding import dumps_jsonb, loads

START = sha256(b"").hexdigest()
"""What the first entry of a chain follows."""
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def canonical(value: object) -> str:
    """Return the one JSON text that a value has: keys by their code points, no spaces, UTF-8.

    >>> canonical({"b": [1, "ä"], "a": None})
    '{"a":null,"b":[1,"ä"]}'
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        text = b""
    if not text or b"\\u0000" in text:  # not plain, or not to be stored
        text = orjson.dumps(loads(dumps_jsonb(value)), option=orjson.OPT_SORT_KEYS)
    return text.decode()


def said(moment: datetime) -> str:
    """Return a time as hashes know it: UTC, in microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Link:
    """One entry in its place; hashes are hexadecimal."""

    owner: str
    seq: int
    written_at: str
    entry: str
    "As it is stored: canonical JSON, in part perhaps sealed."
    prev_hash: str
    hash: str

    @property
    def body(self) -> dict[str, Any]:
        """What the entry says; nothing if it is no object."""
        try:
            body: Any = loads(self.entry)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def right_hash(self) -> str:
        """The hash that this entry must have: SHA-256 of a canonical JSON, made of the stored text."""
        text = (
            f'{{"entry":{self.entry},"prev_hash":"{self.prev_hash}","seq":{self.seq},'
            f'"written_at":"{self.written_at}"}}'
        )
        return sha256(text.encode()).hexdigest()

    @property
    def line(self) -> bytes:
        """The entry as a line of an export."""
        names = ("owner", "seq", "written_at", "prev_hash", "hash")
        known = {name: getattr(self, name) for name in names}
        return canonical({**known, "entry": self.body}).encode() + b"\n"


def read_line(line: bytes) -> Link | None:
    """Return the entry that a line of an export holds; None when it is none."""
    try:
        match loads(line):
            case {
                "owner": str(owner),
                "seq": int(seq),
                "written_at": str(written_at),
                "entry": dict(entry),
                "prev_hash": str(before),
                "hash": str(own),
            } if _WRITTEN.fullmatch(written_at):
                return Link(owner, seq, written_at, canonical(entry), before, own)
    except ValueError:
        pass
    return None


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain does not hold: the first entry that is not what it should be."""

    owner: str
    seq: int
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"{self.owner}: entry {self.seq}: {self.what}: expected {self.expected}, found {self.found}"


@dataclass(slots=True)
class Walk:
    """A walk along one chain, entry by entry, oldest first.

    `partial`: the entries of others may be missing, so only each hash itself is looked at.
    """

    owner: str
    partial: bool = False
    seq: int = 0
    hash: str = START
    _cut: tuple[int, str] | None = None  # what came before the first entry, until a `cut` signs it off

    def step(self, link: Link) -> Broken | None:
        """Look at the next entry; say what is wrong with it."""
        if link.owner != self.owner or link.body.get("owner") != self.owner:
            return self._broken(link.seq, "it is another's", self.owner, str(link.body.get("owner")))
        if link.hash != link.right_hash:
            return self._broken(link.seq, "it was changed", link.right_hash, link.hash)
        begins = self.seq == 0 and link.seq > 1
        if begins and not self.partial:
            self._cut = (link.seq - 1, link.prev_hash)
        elif not self.partial:
            if link.seq != self.seq + 1:
                return self._broken(self.seq + 1, "it is missing", str(self.seq + 1), str(link.seq))
            if link.prev_hash != self.hash:
                return self._broken(link.seq, "it follows another one", self.hash, link.prev_hash)
        self.seq, self.hash = link.seq, link.hash
        match link.body:
            case {"kind": "cut", "cut": {"seq": int(seq), "hash": str(own)}} if (seq, own) == self._cut:
                self._cut = None
        return None

    def end(self, head: Mapping[str, Any] | None) -> Broken | None:
        """Look whether the chain ends where `head` (`seq`, `hash`) says, and its beginning was signed off."""
        if self._cut:
            seq, own = self._cut
            return self._broken(seq, "what came before is missing, and no `cut` signs it off", own, "nothing")
        if head is None:
            return (
                None
                if self.seq == 0
                else self._broken(self.seq, "the head of the chain is missing", self.hash, "nothing")
            )
        if (head["seq"], head["hash"]) != (self.seq, self.hash):
            found = f"{self.hash} (entry {self.seq})"
            return self._broken(head["seq"], "the chain ends elsewhere than its head", head["hash"], found)
        return None

    def _broken(self, seq: int, what: str, expected: str, found: str) -> Broken:
        return Broken(self.owner, seq, what, expected, found)
