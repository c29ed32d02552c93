"""arXiv's Atom interface: totals, pages, an empty page now and then, versions, PDFs."""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.rest_server import Asked, Reply, RestServer

HEAD = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'


@dataclass
class Paper:
    id: str
    title: str
    updated: str
    version: int = 1
    withdrawn: bool = False


@dataclass
class ArxivServer(RestServer):
    papers: list[Paper] = field(default_factory=list)
    empty: int = 0
    "So many pages are empty, although there are more."
    most: int = 50
    claims: int = 0
    "More than there are."

    def respond(self, asked: Asked) -> Reply:
        if asked.path.startswith("/pdf/"):
            live = {f"/pdf/{one.id}v{one.version}" for one in self.papers if not one.withdrawn}
            kind = {"Content-Type": "application/pdf"}
            return Reply(f"%PDF {asked.path}", headers=kind) if asked.path in live else Reply("", 404)
        if asked.path != "/api/query":
            return Reply("", 404)
        query = asked.query
        if query.get("search_query") == "((":
            error = "<id>http://arxiv.org/api/errors#bad_query</id><summary>bad query</summary>"
            return Reply(f"{HEAD}<entry>{error}</entry></feed>")
        if "id_list" in query:
            named = query["id_list"].split(",")
            return Reply(self._feed([one for one in self.papers if one.id in named], len(named)))
        found = sorted(self.papers, key=lambda one: one.updated, reverse=True)
        start, size = int(query["start"]), min(int(query["max_results"]), self.most)
        if start and self.empty:
            self.empty -= 1
            return Reply(self._feed([], len(found)))
        return Reply(self._feed(found[start : start + size], len(found) + self.claims))

    def _feed(self, papers: list[Paper], total: int) -> str:
        return f"{HEAD}<o:totalResults>{total}</o:totalResults>{''.join(map(_entry, papers))}</feed>"


def _entry(one: Paper) -> str:
    names: Any = "".join(f"<author><name>{name}</name></author>" for name in ("Ann Lee", "Иван Петров"))
    return (
        f"<entry><id>http://arxiv.org/abs/{one.id}v{one.version}</id><updated>{one.updated}</updated>"
        f"<published>2026-01-01T00:00:00Z</published><title>{one.title}\n  &amp; more</title>"
        f'<summary>  We show\n things.</summary>{names}<category term="cs.IR"/></entry>'
    )
