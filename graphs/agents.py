"""The agents that are a role and nothing else: each made when it is first used, then kept."""

from asyncio import to_thread
from collections import OrderedDict
from functools import partial
from typing import Any, TypeAlias

from langgraph.graph.state import CompiledStateGraph

from artel.graphs.agent_loop import loop
from artel.graphs.context import Context
from artel.graphs.roles import Role, built_in

MAX_KEPT = 64  # loops; of roles of users there may be any number

Loop: TypeAlias = CompiledStateGraph[Any, Context, Any, Any]

_kept: OrderedDict[tuple[Role, type[Context]], Loop] = OrderedDict()


async def looped(role: Role, context: type[Context] = Context) -> Loop:
    """Return the loop of a role, the same for the same content; to make one reads files, in a thread."""
    key = (role, context)
    if key not in _kept:
        made = await to_thread(loop, role, context)
        _kept[key] = _kept.get(key, made)
    _kept.move_to_end(key)
    found = _kept[key]
    while len(_kept) > MAX_KEPT:
        _kept.popitem(last=False)
    return found


async def named(name: str) -> Loop:
    """Return the loop of a built-in role."""
    return await looped(built_in()[name])


MAKERS = {name: partial(named, name) for name in built_in()}

# LangGraph's own server looks for a variable of each name that langgraph.json has
globals().update(MAKERS)
