"""Facts that outlive a thread: of a person, and of their work on a project. Nobody sees another's.

They lie in the long-term store, in a namespace that follows from who it is about. One learned after text from
outside was read waits for its person's yes: whoever wrote that text may have wanted it believed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from langgraph.store.base import BaseStore, GetOp, Item, PutOp, SearchOp

Scope = Literal["user", "project"]

MOST = 200  # facts of one scope
ROOT = ("artel", "memories")
_WORDS = ("why", "agent", "thread_id", "call_id")


@dataclass(frozen=True, slots=True)
class Memory:
    """A fact and where it comes from."""

    key: str
    scope: Scope
    fact: str
    why: str
    agent: str
    thread_id: str
    call_id: str
    "Of the call that kept it last: made again after a crash it counts once."
    approved: bool
    "Models are told of it."
    tainted: bool
    "It was learned after text from outside was read."
    said: int
    "How often an agent wanted it kept."
    created_at: datetime
    updated_at: datetime


def namespace(scope: Scope, user: str, root: Path) -> tuple[str, ...]:
    """Return where the facts of a scope lie; names of people and folders may hold what no label may."""
    about = _named(user) if scope == "user" else f"{_named(user)}-{_named(str(root))}"
    return (*ROOT, scope, about)


def key_of(fact: str) -> str:
    """Return the key of a fact: the same for one that differs in case, blanks or its full stop."""
    return _named(" ".join(fact.casefold().split()).rstrip(".!"))


async def all_of(store: BaseStore, user: str, root: Path) -> list[Memory]:
    """Return the facts of a person and of their project, those said most often first, then the newest."""
    scopes: tuple[Scope, ...] = ("user", "project")
    asked = [SearchOp(namespace(scope, user, root), limit=MOST) for scope in scopes]
    found: Sequence[Any] = await store.abatch(asked)
    told = [
        one
        for scope, items in zip(scopes, found, strict=True)
        for item in items
        if (one := _memory(scope, item))
    ]
    return sorted(told, key=lambda one: (one.said, one.updated_at), reverse=True)


async def get(store: BaseStore, scope: Scope, key: str, user: str, root: Path) -> Memory | None:
    """Return a fact."""
    (item,) = await store.abatch([GetOp(namespace(scope, user, root), key)])
    return _memory(scope, item) if isinstance(item, Item) else None


async def put(
    store: BaseStore, scope: Scope, key: str, value: Mapping[str, Any] | None, user: str, root: Path
) -> None:
    """Write a fact, or remove it: None."""
    told = dict(value) if value is not None else None
    await store.abatch([PutOp(namespace(scope, user, root), key, told, index=False)])


def value_of(one: Memory) -> dict[str, Any]:
    """Return a fact as the store has it."""
    named = ("fact", "why", "agent", "thread_id", "call_id", "approved", "tainted", "said")
    return {name: getattr(one, name) for name in named}


def _memory(scope: Scope, item: Item) -> Memory | None:
    """Return an item of the store as a fact; None for one that somebody else put there."""
    match item.value:
        case {
            "fact": str(fact),
            "approved": bool(approved),
            "tainted": bool(tainted),
            "said": int(said),
            **rest,
        }:
            why, agent, thread, call = (str(rest.get(one) or "") for one in _WORDS)
            made, changed = item.created_at, item.updated_at
            return Memory(
                item.key, scope, fact, why, agent, thread, call, approved, tainted, said, made, changed
            )
    return None


def _named(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
