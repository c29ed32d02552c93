"""A site with pages that change, ETags, redirects and sitemaps."""

import hashlib
from dataclasses import dataclass, field

from tests.fakes.rest_server import Asked, Reply, RestServer


@dataclass
class Website(RestServer):
    """Pages by path: text is HTML, or whatever a Reply says. Each has an ETag, as long as `etags`."""

    pages: dict[str, str | Reply] = field(default_factory=dict)
    etags: bool = True

    def page(self, path: str, *links: str, title: str = "", text: str = "", head: str = "") -> None:
        anchors = "".join(f'<a href="{link}">to {link}</a> ' for link in links)
        name = title or path
        self.pages[path] = f"<html><head><title>{name}</title>{head}</head><body><p>{text} {anchors}</body>"

    def respond(self, asked: Asked) -> Reply:
        found = self.pages.get(asked.target, self.pages.get(asked.path))
        if found is None:
            return Reply("no such page", 404)
        reply = Reply(found) if isinstance(found, str) else found
        if not self.etags or reply.status != 200 or not isinstance(reply.body, str):
            return reply
        etag = f'"{hashlib.sha256(reply.body.encode()).hexdigest()[:16]}"'
        if asked.headers.get("if-none-match") == etag:
            return Reply(status=304, headers={"ETag": etag})
        return Reply(reply.body, 200, {"ETag": etag, **reply.headers})
