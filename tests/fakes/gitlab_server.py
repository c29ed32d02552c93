"""GitLab as far as reading goes: keyset pages for trees and projects, numbered ones for issues."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlencode

from tests.fakes.rest_server import Asked, Reply, RestServer

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Issue:
    iid: int
    title: str
    created_at: datetime
    updated_at: datetime
    description: str = "What is wrong."
    confidential: bool = False
    notes: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Lab:
    """A project: its commits are whole trees, so that history may be rewritten."""

    id: int
    path: str
    group: str
    commits: dict[str, dict[str, str]] = field(default_factory=dict)
    head: str = ""
    wiki: dict[str, str] = field(default_factory=dict)
    wiki_on: bool = True
    issues: dict[int, Issue] = field(default_factory=dict)

    def commit(self, **files: str | None) -> str:
        """Commit files; `__` in a name is a slash, and one that is None is deleted."""
        tree = {name.replace("__", "/"): text for name, text in files.items()}
        now = {**self.commits.get(self.head, {}), **tree}
        kept = {path: text for path, text in now.items() if text is not None}
        self.head = sha(f"{self.head}{sorted(kept.items())}")
        self.commits[self.head] = kept
        return self.head


@dataclass
class GitLabServer(RestServer):
    token: str = "glpat-1"
    most: int = 20
    labs: list[Lab] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    outside: str = ""
    "What it takes for its own address, behind a proxy."
    now: datetime = START
    after: dict[int, Callable[[], None]] = field(default_factory=dict)
    served: int = 0

    def lab(self, path: str = "team/code", **files: str) -> Lab:
        made = Lab(len(self.labs) + 7, path, path.partition("/")[0])
        if files:
            made.commit(**files)
        self.labs.append(made)
        return made

    def issue(self, lab: Lab, title: str, **more: Any) -> Issue:
        self.now += timedelta(seconds=1)
        made = Issue(len(lab.issues) + 1, title, self.now, self.now, **more)
        lab.issues[made.iid] = made
        return made

    def touch(self, one: Issue) -> None:
        self.now += timedelta(seconds=1)
        one.updated_at = self.now

    def respond(self, asked: Asked) -> Reply:
        self.served += 1
        if asked.headers.get("private-token") != self.token:
            return Reply({"message": "401 Unauthorized"}, 401)
        reply = self._api(asked, asked.raw_path.removeprefix("/api/v4/").split("/"))
        self.after.pop(self.served, lambda: None)()
        return reply or Reply({"message": "404 Not Found"}, 404)

    def _api(self, asked: Asked, parts: list[str]) -> Reply | None:
        seen = [lab for lab in self.labs if lab.id not in self.hidden]
        name = unquote(parts[1])
        if parts[0] == "groups":
            return self._keyset(asked, [self._project(lab) for lab in seen if lab.group == name], "id")
        lab = next((lab for lab in seen if name in (str(lab.id), lab.path)), None)
        if lab is None:
            return None
        match parts[2:]:
            case []:
                return Reply(self._project(lab))
            case ["repository", "commits", ref]:
                return Reply({"id": lab.head}) if lab.head and ref == "main" else None
            case ["repository", "tree"]:
                return self._keyset(asked, self._tree(lab, asked.query), "id")
            case ["repository", "compare"]:
                return self._compare(lab, asked.query)
            case ["repository", "files", path, *raw]:
                return self._file(lab, unquote(path), asked.query["ref"], bool(raw))
            case ["wikis"] if lab.wiki_on:
                return Reply([self._page(slug, text) for slug, text in lab.wiki.items()])
            case ["wikis", slug] if lab.wiki_on and unquote(slug) in lab.wiki:
                return Reply(self._page(unquote(slug), lab.wiki[unquote(slug)]))
            case ["issues"]:
                return self._issues(lab, asked)
            case ["issues", iid] if int(iid) in lab.issues:
                return Reply(self._issue(lab.issues[int(iid)]))
            case ["issues", iid, "notes"] if int(iid) in lab.issues:
                return self._numbered(asked, lab.issues[int(iid)].notes)
        return None

    def _project(self, lab: Lab) -> dict[str, Any]:
        web = f"https://lab.example/{lab.path}"
        said = {"id": lab.id, "path_with_namespace": lab.path, "web_url": web, "wiki_enabled": lab.wiki_on}
        return said | {"default_branch": "main" if lab.head else None, "empty_repo": not lab.head}

    def _tree(self, lab: Lab, query: dict[str, str]) -> list[dict[str, Any]]:
        files = lab.commits.get(query["ref"], {})
        below = f"{query['path']}/" if "path" in query else ""
        folders = {path.rpartition("/")[0] for path in files if "/" in path and path.startswith(below)}
        found = [{"id": sha(one), "type": "tree", "path": one, "mode": "040000"} for one in sorted(folders)]
        return found + [
            {"id": sha(text), "type": "blob", "path": path, "mode": "100644"}
            for path, text in sorted(files.items())
            if path.startswith(below)
        ]

    def _compare(self, lab: Lab, query: dict[str, str]) -> Reply | None:
        old, new = lab.commits.get(query["from"]), lab.commits.get(query["to"])
        if old is None or new is None:
            return None
        assert query["straight"] == "true"
        diffs = []
        for path in sorted(old.keys() | new.keys()):
            if old.get(path) != new.get(path):
                about = {"new_file": path not in old, "deleted_file": path not in new, "renamed_file": False}
                diffs.append({"old_path": path, "new_path": path, **about})
        return Reply({"diffs": diffs, "compare_timeout": False, "compare_same_ref": old == new})

    def _file(self, lab: Lab, path: str, ref: str, raw: bool) -> Reply | None:
        text = lab.commits.get(lab.head if ref == "HEAD" else ref, {}).get(path)
        if text is None:
            return None
        return Reply(text if raw else {}, headers={"X-Gitlab-Blob-Id": sha(text)})

    def _page(self, slug: str, text: str) -> dict[str, Any]:
        return {"slug": slug, "title": slug.title(), "format": "markdown", "content": text}

    def _issue(self, one: Issue) -> dict[str, Any]:
        times = {
            key: getattr(one, key).isoformat(timespec="milliseconds") for key in ("created_at", "updated_at")
        }
        said = {"iid": one.iid, "title": one.title, "description": one.description, "state": "opened"}
        return said | {"confidential": one.confidential, "labels": ["bug"], "web_url": "", **times}

    def _issues(self, lab: Lab, asked: Asked) -> Reply:
        by = asked.query["order_by"]
        found = list(lab.issues.values())
        for key in ("updated_at", "created_at"):
            if since := asked.query.get(key.replace("_at", "_after")):
                found = [one for one in found if getattr(one, key) >= datetime.fromisoformat(since)]
        found.sort(key=lambda one: (getattr(one, by), one.iid))
        return self._numbered(asked, [self._issue(one) for one in found])

    def _numbered(self, asked: Asked, found: list[dict[str, Any]]) -> Reply:
        page, size = int(asked.query.get("page", 1)), min(int(asked.query.get("per_page", 20)), self.most)
        here = found[(page - 1) * size : page * size]
        more = page * size < len(found)
        return Reply(list(here), headers=self._link(asked, {"page": str(page + 1)}) if more else {})

    def _keyset(self, asked: Asked, found: list[dict[str, Any]], key: str) -> Reply:
        assert asked.query["pagination"] == "keyset"
        start = int(asked.query.get("page_token", "0"))
        end = start + min(int(asked.query.get("per_page", 20)), self.most)
        more = end < len(found)
        return Reply(
            list(found[start:end]), headers=self._link(asked, {"page_token": str(end)}) if more else {}
        )

    def _link(self, asked: Asked, more: dict[str, str]) -> dict[str, str]:
        at = f"{self.outside or self.url}{quote(asked.raw_path, safe='/%')}"
        first = f'<{at}?{urlencode(asked.query)}>; rel="first"'
        return {"Link": f'<{at}?{urlencode({**asked.query, **more})}>; rel="next", {first}'}
