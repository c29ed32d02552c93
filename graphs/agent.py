"""An agent in a role of its user: one of the workspace, by its name, or a whole one as text."""

import re
from asyncio import to_thread
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph_sdk.runtime import ServerRuntime
from pydantic import Field, ValidationError

from artel.graphs.agents import Loop, looped
from artel.graphs.context import Context, handles, workspace
from artel.graphs.roles import NAME, Role, RoleWrong, UnknownRole, built_in, find, own

TITLE = "Agent"
DESCRIPTION = "Works in a role of yours: a file of the workspace, or a text that you give."


class RoleContext(Context):
    """What a client may ask of a run in a role."""

    role: str = Field(
        "", description="Name of a role: built in, or `.artel/agents/<name>.md` of the workspace."
    )
    role_text: str = Field("", description="Instead of a name: the role itself, Markdown with front matter.")


async def graph(config: RunnableConfig, runtime: ServerRuntime[RoleContext]) -> Loop:
    """Return the loop of the role that a run asks for; what only looks at threads needs none.

    Raises:
        UnknownRole, RoleWrong: there is none of that name, or the text is none.
        ToolRefused: the workspace is none.
    """
    execution = runtime.execution_runtime
    if execution is None:
        return await looped(built_in()["ask"], RoleContext)  # all have the same channels and steps
    given = execution.context
    more = given.model_dump() if isinstance(given, RoleContext) else given
    asked = {**(config.get("configurable") or {}), **(more if isinstance(more, Mapping) else {})}
    return await looped(await _role(_wish(asked)), RoleContext)


def check(asked: Mapping[str, Any], folder: Path | None, *, whole: bool) -> None:
    """Refuse what no run could have as its role; reads files, so it belongs into a thread.

    `folder` is where the run will work; None: that is not known yet, and neither are its roles. `whole`:
    nothing is added to it later, so a role must be named.

    Raises:
        RoleWrong: there is none of that name, or the text is none; the message names those there are.
    """
    wish = _wish(asked)
    if not whole and not wish.role and not wish.role_text:
        return
    given = _given(wish)
    if given is None and (folder is not None or not re.fullmatch(NAME, wish.role)):
        try:
            find(wish.role, folder)
        except UnknownRole as unknown:
            raise RoleWrong(f"context.role: {unknown}") from unknown


def _given(wish: RoleContext) -> Role | None:
    """Return the role that was given as text; None: one is named."""
    if wish.role and wish.role_text:
        raise RoleWrong("context has both role and role_text; give one of them")
    if wish.role_text:
        return own(wish.role_text, where="context.role_text")
    if not wish.role:
        known = ", ".join(built_in())
        raise RoleWrong(
            f"context.role must name a role: one of {known}, or of the workspace, `.artel/agents/<name>.md`; "
            "or give a whole one as context.role_text"
        )
    return None


async def _role(wish: RoleContext) -> Role:
    if given := await to_thread(_given, wish):
        return given
    look = (await to_thread(handles)).folder
    root = await look() if look else await to_thread(workspace, wish.workspace)
    return await to_thread(find, wish.role, root)


def _wish(asked: Mapping[str, Any]) -> RoleContext:
    try:
        return RoleContext.model_validate(
            {name: asked[name] for name in RoleContext.model_fields if asked.get(name) is not None}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise RoleWrong(f"context.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
