"""What GitLab answers, as documents. What it should have said and did not is a KeyError or its like."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from artel.tools.knowledge.connectors import documents
from artel.tools.knowledge.connectors.port import Changed, Fetched, Json

WIKI_ENDINGS = {"markdown": ".md", "rdoc": ".rdoc", "asciidoc": ".adoc", "org": ".org"}


@dataclass(frozen=True, slots=True)
class Project:
    """A project as far as documents go."""

    id: int
    path: str
    branch: str
    empty: bool
    url: str
    parts: frozenset[str]
    "Which kinds of documents it has switched on."


def project(said: Json) -> Project:
    """Return a project from what the server says of it."""
    number = int(said["id"])
    branch = str(said.get("default_branch") or "")
    on = {
        "files": bool(branch) and said.get("repository_access_level") != "disabled",
        "wikis": said.get("wiki_enabled", True) and said.get("wiki_access_level") != "disabled",
        "issues": said.get("issues_enabled", True) and said.get("issues_access_level") != "disabled",
    }
    parts = frozenset(part for part, is_on in on.items() if is_on)
    path, url = str(said.get("path_with_namespace", number)), str(said.get("web_url", ""))
    return Project(number, path, branch, bool(said.get("empty_repo")), url, parts)


def blob(one: Project, path: str, sha: str, commit: str) -> Changed:
    """Return a file of a commit."""
    url = f"{one.url}/-/blob/{one.branch}/{quote(path)}" if one.url else ""
    about = {"project": one.path, "path": path, "commit": commit}
    return Changed(f"{one.id}/files/{path}", sha, path, url, None, documents.kind(path), about)


def wiki_page(one: Project, said: Json) -> Changed:
    """Return a page of a wiki; it has no time and no number, so its version is a hash of its text."""
    slug, title = str(said.get("slug", "")), str(said.get("title", ""))
    text = f"{title}\0{said.get('format', '')}\0{said.get('content', '')}"
    version = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    url = f"{one.url}/-/wikis/{quote(slug)}" if one.url else ""
    about = {"project": one.path}
    return Changed(f"{one.id}/wikis/{slug}", version, title or slug, url, None, "wiki", about)


def wiki_text(said: Json, slug: str) -> Fetched:
    """Return the text of a page of a wiki, in whatever markup it is written."""
    name = slug.rpartition("/")[2] + WIKI_ENDINGS.get(str(said.get("format")), ".txt")
    data = str(said.get("content", "")).encode("utf-8", "replace")
    return Fetched(data, name, documents.media_type(name), "", {"title": said.get("title", "")})


def issue(one: Project, said: Json) -> Changed:
    """Return an issue; each comment and each label moves its `updated_at`, which is its version."""
    number, updated = int(said["iid"]), str(said.get("updated_at", ""))
    about = {"project": one.path, "state": said.get("state", ""), "labels": list(said.get("labels") or ())}
    title, url = str(said.get("title", "")), str(said.get("web_url", ""))
    return Changed(f"{one.id}/issues/{number}", updated, title, url, _time(updated), "issue", about)


def issue_text(said: Json, notes: Sequence[Json]) -> Fetched:
    """Return an issue with what people said of it, in Markdown."""
    parts = [f"# {said.get('title', '')}", str(said.get("description") or "")]
    for note in notes:
        if not note.get("system") and not note.get("internal") and not note.get("confidential"):
            who = (note.get("author") or {}).get("name", "")
            day = str(note.get("created_at", ""))[:10]
            parts.append(f"## {who}, {day}\n\n{note.get('body', '')}")
    data = "\n\n".join(part for part in parts if part).encode("utf-8", "replace")
    url = str(said.get("web_url", ""))
    return Fetched(data, f"{said.get('iid')}.md", "text/markdown", url, {"state": said.get("state", "")})


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
