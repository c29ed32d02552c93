"""RFCs: their texts, and from the index of the RFC editor what replaced or amended which."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element

from artel.tools.knowledge.connectors import elements
from artel.tools.knowledge.connectors.elements import NotXml
from artel.tools.knowledge.connectors.http import Answer, Client
from artel.tools.knowledge.connectors.port import (
    MAX_ITEM,
    Change,
    Changed,
    Cursor,
    Fetched,
    Incomplete,
    ItemGone,
    Json,
    SourceDown,
    TooBig,
)

HOME = "https://www.rfc-editor.org"
INDEX = "rfc-index.xml"
MAX_INDEX = 64 * 1_048_576  # bytes; it had 14 MB in 2025
RELATIONS = ("obsoletes", "obsoleted-by", "updates", "updated-by", "is-also", "see-also")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
ID = re.compile(r"rfc([1-9]\d{0,5})")


@dataclass(frozen=True, slots=True)
class Rfcs:
    """Some RFCs by number, or all that were issued.

    A text never changes, so the version is a hash of what the index says of it: one that was obsoleted comes
    again, with its new metadata. An index that has not changed since the cursor is not sent again.
    """

    name: str
    client: Client
    "`client.home` is HOME or a mirror of it."
    numbers: Collection[int] | None = None
    "None: all."
    max_bytes: int = MAX_ITEM

    async def changes(self, cursor: Json | None) -> AsyncIterator[Change]:
        """Yield the RFCs of which the index says something else than at the cursor; first all."""
        kept = dict(cursor or {})
        asked = sorted(self.numbers) if self.numbers is not None else None
        same = kept.get("numbers") == asked and "numbers" in kept
        conditions = {"If-None-Match": kept["etag"]} if same and kept.get("etag") else {}
        if same and kept.get("modified"):
            conditions["If-Modified-Since"] = kept["modified"]
        answer = await self._answer(conditions)
        if answer.status == 304:
            return
        found = await self._read(answer.body)
        versions: dict[str, str] = kept.get("versions", {}) if same else {}
        for one in found.values():
            if versions.get(one.id) != one.version[:12]:
                yield one
        now = {one.id: one.version[:12] for one in found.values()}
        etag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
        yield Cursor({"numbers": asked, "etag": etag, "modified": modified, "versions": now})

    async def listing(self) -> AsyncIterator[str]:
        """Yield the id of each RFC in the index, among the numbers that were asked for."""
        for one in await self._read((await self._answer({})).body):
            yield one

    async def fetch(self, id: str) -> Fetched:  # noqa: A002 - the word of the port
        """Return the text of an RFC."""
        if not ID.fullmatch(id):
            raise ItemGone(f"{self.name}: {id[:100]!r} is no RFC; one is called rfc791")
        answer = await self.client.get(f"rfc/{id}.txt", limit=self.max_bytes)
        return Fetched(answer.body, f"{id}.txt", "text/plain", self.client.url(f"rfc/{id}"))

    async def _answer(self, conditions: Mapping[str, str]) -> Answer:
        try:
            return await self.client.get(INDEX, headers=conditions, limit=MAX_INDEX, ok=(304,))
        except (ItemGone, TooBig) as error:
            raise SourceDown(f"{self.name} has no index: {error}") from None

    async def _read(self, body: bytes) -> dict[str, Changed]:
        try:
            root = await asyncio.to_thread(elements.parse, body)
        except NotXml as error:
            raise Incomplete(f"{self.name}: the index cannot be read: {error}") from None
        found = await asyncio.to_thread(self._entries, root)
        if not found and self.numbers != ():
            raise Incomplete(f"{self.name}: the index holds none of the RFCs that were asked for")
        return found

    def _entries(self, root: Element) -> dict[str, Changed]:
        found = {}
        for entry in root.findall("{*}rfc-entry"):
            number = elements.text(entry, "{*}doc-id").removeprefix("RFC").lstrip("0")
            if number.isdecimal() and (self.numbers is None or int(number) in self.numbers):
                found[f"rfc{number}"] = self._changed(f"rfc{number}", entry)
        return found

    def _changed(self, id: str, entry: Element) -> Changed:  # noqa: A002 - the word of the port
        about: dict[str, Any] = {
            relation.replace("-", "_"): [_named(one) for one in entry.findall(f"{{*}}{relation}/{{*}}doc-id")]
            for relation in RELATIONS
        }
        about |= {
            "status": elements.text(entry, "{*}current-status").lower(),
            "stream": elements.text(entry, "{*}stream"),
            "doi": elements.text(entry, "{*}doi"),
            "authors": [elements.text(one) for one in entry.findall("{*}author/{*}name")],
        }
        about = {key: value for key, value in about.items() if value}
        title = f"{id.upper().replace('RFC', 'RFC ')}: {elements.text(entry, '{*}title')}"
        said = repr((title, sorted(about.items())))
        version = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()
        return Changed(id, version, title, self.client.url(f"rfc/{id}"), _date(entry), "rfc", about)


def _named(one: Element) -> str:
    """Return `RFC0791` as `rfc791`; other series keep their names.

    >>> _named(elements.parse("<doc-id>RFC0791</doc-id>")), _named(elements.parse("<doc-id>STD0005</doc-id>"))
    ('rfc791', 'STD0005')
    """
    said = elements.text(one)
    number = said.removeprefix("RFC").lstrip("0")
    return f"rfc{number}" if said.startswith("RFC") and number.isdecimal() else said


def _date(entry: Element) -> datetime | None:
    month, year = elements.text(entry, "{*}date/{*}month").lower(), elements.text(entry, "{*}date/{*}year")
    if month not in MONTHS or not re.fullmatch(r"\d{4}", year):
        return None
    return datetime(int(year), MONTHS.index(month) + 1, 1, tzinfo=UTC)
