"""`http.mount_prefix`: everything below a path, as behind a proxy that shares its name with others."""

from starlette.types import ASGIApp, Receive, Scope, Send

from artel.server.errors import told

ALIVE = "/ok"  # asked for by whatever starts and watches the process, which knows no prefix


class Prefix:
    """Takes the prefix off what comes, and knows nothing beside it.

    `Location` headers stay without it: clients put them behind the address they were given, which has it.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket") or scope["path"] == ALIVE:
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path != self.prefix and not path.startswith(f"{self.prefix}/"):
            await told("Not Found", 404)(scope, receive, send)
            return

        below = {**scope, "root_path": scope.get("root_path", "") + self.prefix}
        if path == self.prefix:
            below["path"] = f"{path}/"
        await self.app(below, receive, send)
