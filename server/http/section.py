"""`http` of a configuration, as it is written."""

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from starlette.datastructures import Headers

from artel.server.sections import NamedIn, Pattern, Section, parse
from artel.server.served import Served

# A key in a run's configuration would lie in the database and be shown to whoever may read the run.
SECRET = ("authorization", "proxy-authorization", "cookie", "x-api-key", "x-tenant-id", "x-service-key")


class CorsSection(Section):
    """Which pages of others may call, and what browsers let them do."""

    allow_origins: list[str] = Field(default_factory=list)
    allow_origin_regex: Pattern | None = None
    allow_methods: list[str] | None = None
    allow_headers: list[str] | None = None
    allow_credentials: bool = False
    expose_headers: list[str] = Field(default_factory=list)
    max_age: Annotated[int, Field(ge=0)] | None = None


class HeadersSection(Section):
    """Which headers are passed on: those included and not excluded, by name or with `*`."""

    include: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _both_spellings(cls, given: Any) -> Any:
        """Take `includes` and `excludes` too: both ways to write it are in the field."""
        if not isinstance(given, dict):
            return given
        plain = {
            name.removesuffix("s") if name in ("includes", "excludes") else name: given[name]
            for name in given
        }
        return {name: value for name, value in plain.items() if value is not None}

    def chosen(self, headers: Headers) -> dict[str, str]:
        """Return the headers of a request that are passed on; never one that is a key."""
        return {name: value for name, value in headers.items() if self._passes(name)}

    def _passes(self, name: str) -> bool:
        return (
            name not in SECRET
            and any(fnmatchcase(name, pattern.lower()) for pattern in self.include)
            and not any(fnmatchcase(name, pattern.lower()) for pattern in self.exclude)
        )


def _prefix(text: str) -> str:
    whole = "/" + text.strip("/")
    if whole == "/" or not all(part and part.isprintable() for part in whole[1:].split("/")):
        raise ValueError('must be a path such as "/api"')
    return whole


class HttpSection(Section):
    """`http` as it is written."""

    app: NamedIn | None = None
    disable_assistants: bool = False
    disable_threads: bool = False
    disable_runs: bool = False
    disable_store: bool = False
    disable_mcp: bool = False
    disable_a2a: bool = False
    disable_meta: bool = False
    disable_ui: bool = False
    disable_webhooks: bool = False
    cors: CorsSection | None = None
    configurable_headers: HeadersSection | None = None
    logging_headers: HeadersSection | None = None
    middleware_order: Literal["auth_first", "middleware_first"] | None = None
    enable_custom_route_auth: bool = False
    mount_prefix: Annotated[str, AfterValidator(_prefix)] | None = None

    def serves(self, path: str) -> bool:
        """Say whether a route of ours is served.

        >>> HttpSection(disable_runs=True).serves("/threads/{thread_id}/runs/stream")
        False
        """
        if self.disable_runs and (path.startswith("/runs") or path.startswith("/threads/{thread_id}/runs")):
            return False
        if path.startswith("/threads"):
            return not self.disable_threads or path.startswith("/threads/{thread_id}/runs")
        off = {
            "/assistants": self.disable_assistants,
            "/store": self.disable_store,
            "/mcp": self.disable_mcp,
            "/a2a": self.disable_a2a,
            "/.well-known/agent": self.disable_a2a,
            "/ui": self.disable_ui,
            "/docs": self.disable_meta,
            "/info": self.disable_meta,
            "/metrics": self.disable_meta,
        }
        return not any(is_off and path.startswith(prefix) for prefix, is_off in off.items())


def read(config: Served | None) -> HttpSection:
    """Return `http` of a configuration; where there is none, one that changes nothing.

    Raises:
        ConfigWrong: a key is not what it should be.
    """
    return parse(config, "http", HttpSection) or HttpSection()
