"""What a graph is run with: its config and its context, as the run's row asks for them."""

from dataclasses import MISSING, fields, is_dataclass
from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel

from artel.storage.runs import Run


def configuration(run: Run) -> RunnableConfig:
    """Return the config a graph is run with, as clients of the wire know it."""
    asked = run.kwargs.get("config") or {}
    checkpoint = run.kwargs.get("checkpoint") or {}
    ids = {
        "run_id": str(run.run_id),
        "thread_id": str(run.thread_id),
        "graph_id": run.graph_id,
        "assistant_id": str(run.assistant_id),
    }
    configurable: dict[str, Any] = {
        **(asked.get("configurable") or {}),
        **ids,
        **_asked_by(run),
    }
    if checkpoint_id := run.kwargs.get("checkpoint_id") or checkpoint.get("checkpoint_id"):
        configurable["checkpoint_id"] = str(checkpoint_id)
        configurable["checkpoint_ns"] = checkpoint.get("checkpoint_ns") or ""
    if checkpoint_map := checkpoint.get("checkpoint_map"):
        configurable["checkpoint_map"] = checkpoint_map
    config: RunnableConfig = {
        "configurable": configurable,
        "metadata": {
            **run.metadata,
            **(asked.get("metadata") or {}),
            **ids,
            "run_attempt": run.attempt,
        },
        "run_id": UUID(str(run.run_id)),
    }
    if tags := asked.get("tags"):
        config["tags"] = list(tags)
    if limit := asked.get("recursion_limit"):
        config["recursion_limit"] = int(limit)
    return config


def _asked_by(run: Run) -> dict[str, Any]:
    """Return who asked for a run, and by which request, as graphs are told."""
    user = run.kwargs.get("user")
    identity = str(user.get("identity") or "") if user else ""
    return {
        "user_id": identity,
        "langgraph_auth_user": User(user) if user else None,
        "langgraph_auth_user_id": identity,
        "langgraph_auth_permissions": list(run.kwargs.get("permissions") or ()),
        "langgraph_request_id": run.kwargs.get("request_id") or str(run.run_id),
    }


class User(dict[str, Any]):
    """A user as graphs know one: their fields by name, by key, or as `langgraph_sdk.auth` has them."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def identity(self) -> str:
        """Who it is."""
        return str(self.get("identity", ""))

    @property
    def display_name(self) -> str:
        """What to call them."""
        return str(self.get("display_name") or self.identity)

    @property
    def is_authenticated(self) -> bool:
        """Whether they have shown who they are."""
        return bool(self.get("is_authenticated", True))

    @property
    def permissions(self) -> list[str]:
        """What they may do."""
        return list(self.get("permissions") or ())


def context(graph: Any, asked: Any) -> Any:
    """Return the run's context; where none was given and the schema has a default for everything, that."""
    schema = getattr(graph, "context_schema", None)
    if not isinstance(schema, type):
        return asked
    if asked:
        return _known(schema, asked)
    if issubclass(schema, BaseModel):
        whole = not any(one.is_required() for one in schema.model_fields.values())
    else:
        whole = is_dataclass(schema) and all(
            one.default is not MISSING or one.default_factory is not MISSING for one in fields(schema)
        )
    return schema() if whole else asked


def _known(schema: type, asked: Any) -> Any:
    """Drop what a dataclass would not take: clients keep more in `configurable`, which is mirrored."""
    if not is_dataclass(schema) or not isinstance(asked, dict):
        return asked
    names = {one.name for one in fields(schema) if one.init}
    return {name: value for name, value in asked.items() if name in names}
