"""GitLab, by its REST interface of version 4: files of the default branch, wikis and issues of projects."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from artel.tools.knowledge.connectors import documents
from artel.tools.knowledge.connectors.gitlab_answers import (
    Project,
    blob,
    issue,
    issue_text,
    project,
    wiki_page,
    wiki_text,
)
from artel.tools.knowledge.connectors.http import Client, understood
from artel.tools.knowledge.connectors.port import (
    MAX_ITEM,
    Change,
    Changed,
    Cursor,
    Fetched,
    Gone,
    ItemGone,
    Json,
    Refused,
    SourceDown,
)

PAGE = 100  # the most that GitLab gives
MAX_LIST = 32 * 1_048_576  # bytes of one answer
MAX_COMPARED = 100  # files between two commits that are asked about one by one; of more the tree is listed
LINK = "120000"
OVERLAP = timedelta(minutes=5)
Part = Literal["files", "wikis", "issues"]
PARTS: tuple[Part, ...] = ("files", "wikis", "issues")


@dataclass(frozen=True, slots=True)
class GitLab:
    """The documents of projects, and of the projects of groups.

    An id is `<project>/files/<path>`, `<project>/wikis/<slug>` or `<project>/issues/<iid>`, with the number
    of the project, which a rename leaves. The cursor holds for each project its commit, the pages of its
    wiki and when its issues were read. Confidential issues are no documents.
    """

    name: str
    client: Client
    "`client.home` is the address of the server, its credentials are `private_token`."
    projects: tuple[str, ...] = ()
    "Numbers or paths, as `group/name`."
    groups: tuple[str, ...] = ()
    parts: Sequence[Part] = PARTS
    within: str = ""
    "Only files below this folder."
    max_bytes: int = MAX_ITEM

    async def changes(self, cursor: Json | None) -> AsyncIterator[Change]:
        """Yield what has changed, project by project; one that fails holds up no other."""
        state: Json = dict((cursor or {}).get("projects", {}))
        failure: SourceDown | Refused | None = None
        for one in await self._projects():
            kept: Json = dict(state.get(str(one.id), {}))
            try:
                for part in self._parts(one):
                    async for change in self._changes(one, part, kept):
                        if isinstance(change, Cursor):
                            kept = kept | change.value
                            state = state | {str(one.id): kept}
                            yield Cursor({"projects": state})
                        else:
                            yield change
            except (SourceDown, Refused) as error:
                failure = failure or error
        if failure:
            raise failure

    async def listing(self) -> AsyncIterator[str]:
        """Yield the ids of all documents of all projects."""
        for one in await self._projects():
            for part in self._parts(one):
                async for change in self._all(one, part):
                    yield change.id

    async def fetch(self, id: str) -> Fetched:  # noqa: A002 - the word of the port
        """Return a file as it is, a page of a wiki or an issue with its comments as Markdown."""
        number, _, rest = id.partition("/")
        part, _, key = rest.partition("/")
        if not number.isdecimal() or part not in PARTS or not key:
            raise ItemGone(f"{self.name}: {id[:200]!r} is the id of no document")
        at = f"api/v4/projects/{number}"
        if part == "files":
            if documents.why_not(key):
                raise Refused(f"{self.name}: {key[:200]!r} is none of its documents")
            path = f"{at}/repository/files/{quote(key, safe='')}/raw"
            answer = await self.client.get(path, {"ref": "HEAD"}, limit=self.max_bytes)
            kind = documents.media_type(key)
            return Fetched(answer.body, key.rpartition("/")[2], kind, "", {"path": key})
        if part == "wikis":
            return wiki_text(await self._json(f"{at}/wikis/{quote(key, safe='')}"), key)
        if not key.isdecimal():
            raise ItemGone(f"{self.name}: {id[:200]!r} is the id of no document")
        said = await self._json(f"{at}/issues/{key}")
        if said.get("confidential"):
            raise ItemGone(f"{self.name}: issue {key} is confidential now")
        params = {"sort": "asc", "order_by": "created_at", "activity_filter": "only_comments"}
        notes = [note async for note in self._pages(f"{at}/issues/{key}/notes", params)]
        with understood(self.name):
            return issue_text(said, notes)

    def _parts(self, one: Project) -> list[Part]:
        return [part for part in PARTS if part in self.parts and part in one.parts]

    async def _projects(self) -> list[Project]:
        found: dict[int, Project] = {}
        for name in self.projects:
            try:
                said = await self._json(f"api/v4/projects/{quote(name, safe='')}")
            except ItemGone:  # GitLab hides what a token may not see
                raise Refused(
                    f"{self.name} shows no project {name}: it went, or {self.client.setting} may not see it"
                ) from None
            with understood(self.name):
                one = project(said)
            found[one.id] = one
        for group in self.groups:
            params = {
                "include_subgroups": "true",
                "pagination": "keyset",
                "order_by": "id",
                "archived": "false",
            }
            async for said in self._pages(f"api/v4/groups/{quote(group, safe='')}/projects", params):
                with understood(self.name):
                    one = project(said)
                found[one.id] = one
        return list(found.values())

    async def _changes(self, one: Project, part: Part, kept: Json) -> AsyncIterator[Change]:
        match part:
            case "files":
                async for change in self._files(one, str(kept.get("commit", ""))):
                    yield change
            case "wikis":
                before: dict[str, str] = kept.get("wiki", {})
                now: dict[str, str] = {}
                async for page in self._all(one, "wikis"):
                    now[page.id] = page.version
                    if before.get(page.id) != page.version:
                        yield page
                for went in before.keys() - now.keys():
                    yield Gone(went)
                yield Cursor({"wiki": now})
            case "issues":
                async for change in self._updated(one, str(kept.get("issues", ""))):
                    yield change

    async def _updated(self, one: Project, since: str) -> AsyncIterator[Change]:
        """Yield issues in the order of their last update: each time may be a cursor."""
        count = 0
        async for said in self._issues(one, "updated_after", "updated_at", _earlier(since)):
            with understood(self.name):
                told = issue(one, said)
            yield Gone(told.id) if said.get("confidential") else told
            since, count = told.version or since, count + 1
            if count % PAGE == 0:
                yield Cursor({"issues": since})
        yield Cursor({"issues": since})

    async def _all(self, one: Project, part: Part) -> AsyncIterator[Changed]:
        at = f"api/v4/projects/{one.id}"
        match part:
            case "files":
                if commit := await self._commit(one):
                    async for file in self._tree(one, commit):
                        yield file
            case "wikis":
                async for page in self._pages(f"{at}/wikis", {"with_content": "1"}):
                    yield wiki_page(one, page)
            case "issues":
                async for said in self._issues(one, "created_after", "created_at", ""):
                    if not said.get("confidential"):
                        yield issue(one, said)

    async def _files(self, one: Project, old: str) -> AsyncIterator[Change]:
        commit = await self._commit(one)
        if commit == old or not commit:
            return
        differing = await self._compared(one, old, commit) if old else None
        if differing is None:
            async for file in self._tree(one, commit):
                yield file
        else:
            gone, changed = differing
            for path in gone:
                yield Gone(f"{one.id}/files/{path}")
            for path in changed:
                if found := await self._file(one, commit, path):
                    yield found
        yield Cursor({"commit": commit})

    async def _commit(self, one: Project) -> str:
        """Return the newest commit of the default branch; empty: there is none yet."""
        at = f"api/v4/projects/{one.id}/repository/commits/{quote(one.branch, safe='')}"
        try:
            return str((await self._json(at)).get("id", ""))
        except ItemGone:
            if one.empty:
                return ""
            raise SourceDown(f"{self.name}: {one.path} has no branch {one.branch}") from None

    async def _tree(self, one: Project, commit: str) -> AsyncIterator[Changed]:
        params = {"ref": commit, "recursive": "true", "pagination": "keyset"}
        if self.within:
            params["path"] = self.within.strip("/")
        async for entry in self._pages(f"api/v4/projects/{one.id}/repository/tree", params):
            path = str(entry.get("path", ""))
            sha = str(entry.get("id", ""))
            if sha and entry.get("type") == "blob" and entry.get("mode") != LINK and self._may_be(path):
                yield blob(one, path, sha, commit)

    async def _compared(self, one: Project, old: str, new: str) -> tuple[list[str], list[str]] | None:
        """Return the paths that went and those that changed; None: there are too many, or nobody knows."""
        at = f"api/v4/projects/{one.id}/repository/compare"
        try:
            said = await self._json(at, {"from": old, "to": new, "straight": "true"})
        except ItemGone:  # history was rewritten, and the old commit is no more
            return None
        diffs = _listed(self.name, said.get("diffs"))
        if said.get("compare_timeout") or len(diffs) > MAX_COMPARED:
            return None
        changed = [str(one.get("new_path")) for one in diffs if not one.get("deleted_file")]
        gone = [
            str(one.get("old_path")) for one in diffs if one.get("deleted_file") or one.get("renamed_file")
        ]
        left = [path for path in gone if self._may_be(path) and path not in changed]
        return left, [path for path in changed if self._may_be(path)]

    async def _file(self, one: Project, commit: str, path: str) -> Changed | None:
        at = f"api/v4/projects/{one.id}/repository/files/{quote(path, safe='')}"
        try:
            answer = await self.client.get(at, {"ref": commit}, method="HEAD")
        except ItemGone:
            return None
        found = answer.headers.get("x-gitlab-blob-id", "")
        return blob(one, path, found, commit) if found else None

    async def _issues(self, one: Project, after: str, field: str, since: str) -> AsyncIterator[Json]:
        """Yield issues by the time in `field`, from `since` on.

        Pages by number would skip one whenever another moves to the end: each request begins at the time
        where the last one ended, and goes to the next page only within one such time.
        """
        at, page, told = f"api/v4/projects/{one.id}/issues", 1, set[tuple[int, str]]()
        while True:
            params: dict[str, str | int] = {"scope": "all", "state": "all", "order_by": field, "sort": "asc"}
            params |= {"per_page": PAGE, "page": page} | ({after: since} if since else {})
            answer = await self.client.get(at, params, limit=MAX_LIST)
            found = _listed(self.name, answer.json())
            with understood(self.name):
                keys = [(int(said["iid"]), str(said[field])) for said in found]
            for key, said in zip(keys, found, strict=True):
                if key not in told:
                    yield said
            if not keys or (not answer.next and len(found) < PAGE):
                return
            last = keys[-1][1]
            told = {*keys, *(told if last == since else ())}
            since, page = (since, page + 1) if last == since else (last, 1)

    async def _pages(self, path: str, params: dict[str, str]) -> AsyncIterator[Json]:
        """Yield what is listed, page after page as the server links them."""
        answer = await self.client.get(path, {"per_page": PAGE, **params}, limit=MAX_LIST)
        asked = {str(answer.url)}
        while True:
            for said in _listed(self.name, answer.json()):
                yield said
            if not (after := answer.next):
                return
            if after in asked:
                raise SourceDown(f"{self.name} leads from a page to the same page")
            asked.add(after)
            answer = await self.client.get(self._ours(after), limit=MAX_LIST)

    def _ours(self, link: str) -> str:
        """Return a link at our own address: behind a proxy GitLab may know itself by another name."""
        _, found, after = httpx.URL(link).raw_path.decode("ascii").partition("/api/v4/")
        if not found:
            raise Refused(f"{self.name} links to what is none of its pages")
        return self.client.url(f"api/v4/{after}")

    async def _json(self, path: str, params: dict[str, str | int] | None = None) -> Json:
        said = (await self.client.get(path, params, limit=MAX_LIST)).json()
        if not isinstance(said, dict):
            raise SourceDown(f"{self.name} answered with something else than was asked for")
        return said

    def _may_be(self, path: str) -> bool:
        within = self.within.strip("/")
        below = not within or path.startswith(f"{within}/")
        return below and documents.can_be_said(path) and not documents.why_not(path)


def private_token(token: SecretStr) -> dict[str, SecretStr]:
    """Return the credentials that a personal, group or project access token is."""
    return {"PRIVATE-TOKEN": token}


def _earlier(since: str) -> str:
    """Return the time from which on to ask: what was being written at `since` has an older time."""
    return (datetime.fromisoformat(since) - OVERLAP).isoformat() if since else ""


def _listed(name: str, said: Any) -> list[Json]:
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise SourceDown(f"{name} answered with no list")
    return said
