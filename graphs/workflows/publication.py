"""The state of publishing: what was asked for, what would be published, what came of it."""

import re
from dataclasses import asdict
from typing import Annotated, Any, Literal, NotRequired
from uuid import NAMESPACE_OID, uuid5

from langchain_core.messages import AnyMessage
from langgraph.graph import add_messages
from typing_extensions import TypedDict

from artel.tools.git.publishing import Draft, Publish, parse
from artel.tools.workspace.paths import printable

NAME = "publish"
MAX_OWNER = 40  # characters of a branch
ASKED = tuple(Publish.model_fields)


class Promise(TypedDict):
    """What a person is asked about."""

    call_id: str
    args: dict[str, Any]
    workspace: str
    draft: dict[str, Any]
    "A Draft, field by field."
    gate: str
    "What the gate said, in words; empty: not yet."


class Publication(TypedDict):
    """What came of a run."""

    status: Literal["published", "red", "rejected", "refused", "failed"]
    reason: str
    branch: NotRequired[str]
    commit: NotRequired[str]
    pushed: NotRequired[bool]
    request: NotRequired[str]
    "Its address, or its number and place."


class Wanted(TypedDict):
    """What to publish; what is left out stays as it was in the run before on the thread."""

    messages: NotRequired[Annotated[list[AnyMessage], add_messages]]
    workspace: NotRequired[str]
    title: NotRequired[str]
    description: NotRequired[str | None]
    paths: NotRequired[list[str] | None]
    base: NotRequired[str | None]
    remote: NotRequired[str | None]
    draft: NotRequired[bool | None]


class PublishState(Wanted):
    """What to publish, and how far that is."""

    promise: NotRequired[Promise | None]
    report: NotRequired[dict[str, Any] | None]
    "What the gate said, as data."
    publication: NotRequired[Publication | None]


def args_of(state: PublishState) -> dict[str, Any]:
    """Return what was asked for, without what was left open."""
    return {name: state.get(name) for name in ASKED if state.get(name) is not None}


def asked_of(state: PublishState) -> Publish:
    """Return what was asked for, checked.

    Raises:
        ToolRefused: something is missing or wrong.
    """
    return parse(args_of(state))


def draft_of(promise: Promise) -> Draft:
    """Return what would be published."""
    return Draft(**promise["draft"])


def kept(draft: Draft) -> dict[str, Any]:
    """Return what would be published as it is kept and shown: names on disk may be bytes that are no text."""
    return {**asdict(draft), "files": [printable(path) for path in draft.files]}


def branch_of(user: str, thread_id: str) -> str:
    """Return the branch of a thread: always the same, so that a repeat finds it.

    >>> branch_of("Ann Lee", "t")
    'user/ann-lee/feature-1f85773b-e5eb-542b-95c7-2b5ab1ff4cd4'
    """
    safe = re.sub(r"[^a-z0-9]+", "-", user.lower())[:MAX_OWNER].strip("-") or "local"
    return f"user/{safe}/feature-{uuid5(NAMESPACE_OID, f'{NAME} {user} {thread_id}')}"


def words(publication: Publication) -> str:
    """Return what came of a run, for the conversation."""
    match publication["status"]:
        case "published":
            made = publication.get("commit", "")[:10]
            return f"Published {publication.get('branch')} at {made}: {publication.get('request')}."
        case "red":
            return f"Not published, repair this and publish again.\n\n{publication['reason']}"
    rest = " The commit is made; to publish again goes on from there." if publication.get("commit") else ""
    return f"Not published: {publication['reason']}{rest}"
