"""Confluence, version 8 and later, on a server of one's own: pages, posts and, if wanted, attachments."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from artel.tools.knowledge.connectors import storage_format
from artel.tools.knowledge.connectors.http import Client, understood
from artel.tools.knowledge.connectors.port import (
    MAX_ITEM,
    Change,
    Changed,
    Cursor,
    Fetched,
    Incomplete,
    ItemGone,
    Json,
    Refused,
    SourceDown,
)

PAGE = 100  # documents of one answer; the server may give fewer
MAX_LIST = 32 * 1_048_576  # bytes of one answer
OVERLAP = timedelta(
    hours=14
)  # CQL takes times in the time zone of whoever asks, which may be 12 h behind UTC
SWEEP = timedelta(days=1)
ABOUT = "version,space,ancestors,container,metadata.labels"
KINDS = {"page": "page", "blogpost": "post", "attachment": "attachment"}
MAX_ROUNDS = 3  # of a listing that moves while it is read


@dataclass(frozen=True, slots=True)
class Confluence:
    """The documents of some spaces, or of all that we are shown.

    Between two sweeps the search of the server tells what was edited. It knows nothing of moves and of new
    labels, and is late at times: so once in `sweep` all documents are listed with their versions, without
    their text. The version holds number, title, place and labels. Deletions are told by listings only.
    """

    name: str
    client: Client
    "`client.home` is the address with the context path; its credentials are `bearer` or `basic`."
    spaces: tuple[str, ...] = ()
    attachments: bool = False
    sweep: timedelta = SWEEP
    overlap: timedelta = OVERLAP
    max_bytes: int = MAX_ITEM
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def changes(self, cursor: Json | None) -> AsyncIterator[Change]:
        """Yield what was edited since the cursor; once in `sweep` all there is."""
        state = dict(cursor or {})
        swept, now = _time(state.get("swept")), self.clock()
        if "at" not in state:
            due = swept is None or now - swept >= self.sweep
            state |= {"at": {"sweep": due, "began": now.isoformat(), "step": 0, "start": 0}}
        at = state["at"]
        began = _time(at["began"]) or now
        since = _time(state.get("since"))
        steps = self._sweeps() if at["sweep"] or since is None else [self._edited(since)]
        while at["step"] < len(steps):
            path, params = steps[at["step"]]
            found, more = await self._page(path, params | {"expand": ABOUT, "start": at["start"]})
            for one in found:
                yield self._changed(one)
            step, start = (at["step"], at["start"] + len(found)) if more else (at["step"] + 1, 0)
            at = at | {"step": step, "start": start}
            yield Cursor({**state, "at": at})
        kept = {"since": began.isoformat(), "swept": (began if at["sweep"] else swept or began).isoformat()}
        yield Cursor(kept)

    async def listing(self) -> AsyncIterator[str]:
        """Yield the ids of all documents. Each answer must begin where the one before ended.

        Raises:
            Incomplete: documents went or came meanwhile, each of MAX_ROUNDS times.
        """
        for path, params in self._sweeps():
            for _ in range(MAX_ROUNDS):
                ids = await self._ids(path, params)
                if ids is not None:
                    break
            else:
                raise Incomplete(f"{self.name} is being changed while it is listed")
            for one in ids:
                yield one

    async def fetch(self, id: str) -> Fetched:  # noqa: A002 - the word of the port
        """Return a page as HTML, an attachment as it is."""
        if not id.removeprefix("att").isdecimal():
            raise ItemGone(f"{self.name}: {id[:100]!r} is the id of no document")
        params = {"expand": f"body.storage,{ABOUT}"}
        one = await self._asked(f"rest/api/content/{id}", params, limit=2 * self.max_bytes)
        if one.get("status", "current") != "current":
            raise ItemGone(f"{self.name}: {id} is {one['status']}")
        told = self._changed(one)
        if one.get("type") == "attachment":
            return await self._attached(one, told)
        storage = one.get("body", {}).get("storage", {}).get("value", "")
        data = storage_format.html(storage, told.title).encode("utf-8", "replace")
        return Fetched(data, f"{id}.html", "text/html", told.url, told.metadata)

    async def _attached(self, one: Json, told: Changed) -> Fetched:
        path = one.get("_links", {}).get("download", "")
        answer = await self.client.get(path, limit=self.max_bytes)
        kind = one.get("metadata", {}).get("mediaType", "") or answer.media_type
        return Fetched(answer.body, told.title, kind, told.url, told.metadata)

    def _sweeps(self) -> list[tuple[str, Json]]:
        """Return the requests that list all there is: by the database, attachments by the search."""
        spaces: list[Json] = [{"spaceKey": key} for key in self.spaces] or [{}]
        kinds = ("page", "blogpost")
        found = [
            ("rest/api/content", {"type": kind, "status": "current", "limit": PAGE} | space)
            for space in spaces
            for kind in kinds
        ]
        return [*found, ("rest/api/content/search", self._search("type = attachment"))][
            : None if self.attachments else -1
        ]

    def _edited(self, since: datetime) -> tuple[str, Json]:
        kinds = "page, blogpost, attachment" if self.attachments else "page, blogpost"
        when = (since - self.overlap).strftime("%Y-%m-%d %H:%M")
        return "rest/api/content/search", self._search(f'type in ({kinds}) and lastmodified >= "{when}"')

    def _search(self, cql: str) -> Json:
        keys = ", ".join('"{}"'.format(key.replace("\\", "").replace('"', "")) for key in self.spaces)
        within = f" and space in ({keys})" if keys else ""
        return {"cql": f"{cql}{within} order by lastmodified asc", "limit": PAGE}

    async def _ids(self, path: str, params: Json) -> list[str] | None:
        """Return the ids of one sweep; None: an answer did not begin with the last id of the one before."""
        ids: list[str] = []
        start = 0
        while True:
            found, more = await self._page(path, params | {"start": start})
            here = [str(one["id"]) for one in found]
            if ids and here[:1] != ids[-1:]:
                return None
            ids += here[1:] if ids else here
            if not more:
                return ids
            start = len(ids) - 1

    async def _page(self, path: str, params: Json) -> tuple[list[Json], bool]:
        """Return the documents of one answer, and whether there are more."""
        said = await self._asked(path, params, limit=MAX_LIST)
        found = said.get("results")
        if not isinstance(found, list) or not all(isinstance(one, dict) and "id" in one for one in found):
            raise SourceDown(f"{self.name} answered with no list of documents")
        more = bool(said.get("_links", {}).get("next")) and bool(found)
        return found, more

    async def _asked(self, path: str, params: Mapping[str, str | int], *, limit: int) -> Json:
        answer = await self.client.get(path, params, limit=limit, headers={"Accept": "application/json"})
        if self.client.credentials and answer.headers.get("x-ausername") == "anonymous":
            raise Refused(f"{self.name} takes us for nobody: what {self.client.setting} says has expired")
        said = answer.json()
        if not isinstance(said, dict):
            raise SourceDown(f"{self.name} answered with something else than was asked for")
        return said

    def _changed(self, one: Json) -> Changed:
        with understood(self.name):
            return self._described(one)

    def _described(self, one: Json) -> Changed:
        version, space = one.get("version") or {}, one.get("space") or {}
        above = [str(each.get("title", "")) for each in one.get("ancestors") or ()]
        found = (one.get("metadata") or {}).get("labels") or {}
        labels = sorted(str(each.get("name", "")) for each in found.get("results") or ())
        title, number, known_as = str(one.get("title", "")), version.get("number", 0), str(one["id"])
        place = "\0".join((title, str(space.get("key", "")), *above, "", *labels))
        about: dict[str, Any] = {"space": space.get("key", ""), "space_name": space.get("name", "")}
        about |= {"path": above, "labels": labels, "author": (version.get("by") or {}).get("displayName", "")}
        of = (one.get("container") or {}).get("id", "") if one.get("type") == "attachment" else ""
        about |= {"of": str(of)}
        return Changed(
            known_as,
            f"{number}.{hashlib.sha256(place.encode('utf-8', 'replace')).hexdigest()[:12]}",
            title,
            self.client.url(f"pages/viewpage.action?pageId={of or known_as}"),
            _time(version.get("when")),
            KINDS.get(str(one.get("type")), "page"),
            {key: value for key, value in about.items() if value},
        )


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
