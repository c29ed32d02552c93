"""The RFC editor: an index in XML with an ETag, and texts."""

import hashlib
from dataclasses import dataclass, field

from tests.fakes.rest_server import Asked, Reply, RestServer


@dataclass
class RfcServer(RestServer):
    rfcs: dict[int, dict[str, list[int]]] = field(default_factory=dict)
    "Numbers, and their relations as `obsoleted-by`."

    def index(self) -> str:
        entries = "".join(self._entry(number, relations) for number, relations in self.rfcs.items())
        other = "<bcp-entry><doc-id>BCP0001</doc-id></bcp-entry>"
        never = "<rfc-not-issued-entry><doc-id>RFC0014</doc-id></rfc-not-issued-entry>"
        return f'<rfc-index xmlns="https://www.rfc-editor.org/rfc-index">{other}{never}{entries}</rfc-index>'

    def _entry(self, number: int, relations: dict[str, list[int]]) -> str:
        related = "".join(
            f"<{name}>{''.join(f'<doc-id>RFC{one:04}</doc-id>' for one in numbers)}</{name}>"
            for name, numbers in relations.items()
        )
        return (
            f"<rfc-entry><doc-id>RFC{number:04}</doc-id><title>Protocol {number}</title>"
            f"<author><name>J. Postel</name></author><date><month>September</month><year>1981</year></date>"
            f"{related}<current-status>INTERNET STANDARD</current-status></rfc-entry>"
        )

    def respond(self, asked: Asked) -> Reply:
        if asked.path == "/rfc-index.xml":
            index = self.index()
            etag = f'"{hashlib.sha256(index.encode()).hexdigest()[:16]}"'
            if asked.headers.get("if-none-match") == etag:
                return Reply(status=304)
            return Reply(index, headers={"ETag": etag, "Content-Type": "application/xml"})
        found = next((one for one in self.rfcs if asked.path == f"/rfc/rfc{one}.txt"), None)
        kind = {"Content-Type": "text/plain"}
        return Reply(f"RFC {found}\n\nText.\n", headers=kind) if found else Reply("", 404)
