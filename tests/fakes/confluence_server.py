"""Confluence 9 as far as reading goes: paging, CQL in the time zone of who asks, trash, moves, labels."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.fakes.rest_server import Asked, Reply, RestServer


@dataclass
class Page:
    id: str
    title: str
    space: str
    storage: str
    when: datetime
    indexed: datetime
    "What the search believes: edits called minor, moves and labels do not reach it."
    type: str = "page"
    number: int = 1
    parents: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    trashed: bool = False
    container: str = ""
    content: bytes = b""


@dataclass
class ConfluenceServer(RestServer):
    """`token` opens it; an expired one makes everybody nobody, who sees the space PUB only."""

    token: str = "t0ken"
    expired: bool = False
    most: int = 25
    "More results it never gives, whatever limit was asked for."
    zone: timezone = timezone(timedelta(hours=3))
    now: datetime = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    documents: dict[str, Page] = field(default_factory=dict)
    after: dict[int, Callable[[], None]] = field(default_factory=dict)
    "What happens on the server after so many answers."
    served: int = 0

    def add(self, title: str, storage: str = "<p>Text.</p>", *, space: str = "DEV", **more: Any) -> Page:
        id = f"{'att' if more.get('type') == 'attachment' else ''}{1_000 + len(self.documents)}"  # noqa: A001
        made = self.documents[id] = Page(id, title, space, storage, self.now, self.now, **more)
        return made

    def edit(self, page: Page, storage: str, *, minor: bool = False) -> None:
        page.storage, page.number, page.when = storage, page.number + 1, self.now
        page.indexed = page.indexed if minor else self.now

    @property
    def home(self) -> str:
        return f"{self.url}/wiki"

    def respond(self, asked: Asked) -> Reply:
        self.served += 1
        reply = self._api(asked)
        self.after.pop(self.served, lambda: None)()
        return reply

    def _api(self, asked: Asked) -> Reply:
        said = asked.headers.get("authorization", "")
        known = (f"Bearer {self.token}", f"Basic {b64encode(f'ann:{self.token}'.encode()).decode()}")
        if said and said not in known:
            return Reply({"message": "unauthorized"}, 401)
        who = "anonymous" if self.expired or not said else "ann"
        seen = [one for one in self.documents.values() if who == "ann" or one.space == "PUB"]
        live = [one for one in seen if not one.trashed]
        path = asked.path.removeprefix("/wiki")
        if path == "/rest/api/content":
            key, kind = asked.query.get("spaceKey"), asked.query.get("type", "page")
            found = [one for one in live if one.type == kind and key in (None, one.space)]
            reply = Reply(self._listed(asked, found))
        elif path == "/rest/api/content/search":
            reply = Reply(self._listed(asked, self._searched(live, asked.query["cql"])))
        elif one := next((one for one in live if path == f"/rest/api/content/{one.id}"), None):
            reply = Reply(self._json(one, asked.query.get("expand", "").split(",")))
        elif one := next((one for one in live if path == f"/download/{one.id}/{one.title}"), None):
            reply = Reply(one.content, headers={"Content-Type": "application/pdf"})
        else:
            reply = Reply({"statusCode": 404, "message": "No content found"}, 404)
        reply.headers.setdefault("X-AUSERNAME", who)
        return reply

    def _searched(self, live: list[Page], cql: str) -> list[Page]:
        kinds = re.search(r"type (?:in \(([^)]*)\)|= (\w+))", cql)
        assert kinds is not None, cql
        wanted = {kind.strip() for kind in (kinds[1] or kinds[2]).split(",")}
        spaces = re.search(r"space in \(([^)]*)\)", cql)
        keys = {key.strip(' "') for key in spaces[1].split(",")} if spaces else None
        since = re.search(r'lastmodified >= "(\d{4}-\d\d-\d\d \d\d:\d\d)"', cql)
        first = datetime.fromisoformat(since[1]).replace(tzinfo=self.zone) if since else None
        found = [
            one
            for one in live
            if one.type in wanted
            and (keys is None or one.space in keys)
            and (first is None or one.indexed.replace(second=0) >= first)
        ]
        return sorted(found, key=lambda one: one.indexed)

    def _listed(self, asked: Asked, found: list[Page]) -> dict[str, Any]:
        start = int(asked.query.get("start", 0))
        limit = min(int(asked.query.get("limit", 25)), self.most)
        here = found[start : start + limit]
        links = {"base": self.home, "context": "/wiki"}
        if start + limit < len(found):
            links["next"] = f"{asked.path.removeprefix('/wiki')}?start={start + limit}&limit={limit}"
        expand = asked.query.get("expand", "").split(",")
        results = [self._json(one, expand) for one in here]
        return {"results": results, "start": start, "limit": limit, "size": len(here), "_links": links}

    def _json(self, one: Page, expand: list[str]) -> dict[str, Any]:
        said: dict[str, Any] = {"id": one.id, "type": one.type, "status": "current", "title": one.title}
        if "version" in expand:
            when = one.when.astimezone(self.zone).isoformat(timespec="milliseconds")
            said["version"] = {"number": one.number, "when": when, "by": {"displayName": "Ann"}}
        if "space" in expand:
            said["space"] = {"key": one.space, "name": f"Space {one.space}"}
        if "ancestors" in expand:
            said["ancestors"] = [{"id": "1", "title": title} for title in one.parents]
        if "metadata.labels" in expand:
            said["metadata"] = {"labels": {"results": [{"name": name} for name in one.labels]}}
        if "container" in expand and one.container:
            said["container"] = {"id": one.container, "type": "page"}
        if "body.storage" in expand:
            said["body"] = {"storage": {"value": one.storage, "representation": "storage"}}
        if one.type == "attachment":
            said.setdefault("metadata", {})["mediaType"] = "application/pdf"
            said["_links"] = {"download": f"/download/{one.id}/{one.title}"}
        return said
