"""Cases made of our own OpenAPI document by schemathesis, sent to a real server; what must hold of each."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import httpx
import hypothesis_jsonschema._from_schema
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture import utils as conjecture
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.modes import GenerationMode


class _Many(conjecture.many):
    """`many` as it was: hypothesis-jsonschema 0.23.1, the newest, still asks for `more()`."""

    _steps: Iterator[None] | None = None

    def more(self) -> bool:
        """Return whether another element is wanted."""
        if self._steps is None:
            self._steps = iter(self.__enter__())
        for _ in self._steps:
            return True
        self.__exit__(None, None, None)
        return False


class _Conjecture:
    many = _Many

    def __getattr__(self, name: str) -> Any:
        return getattr(conjecture, name)


vars(hypothesis_jsonschema._from_schema)["cu"] = _Conjecture()
load_all_checks()
CONFORMS = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)


@schemathesis.serializer("application/zip")
def zipped(context: Any, value: Any) -> bytes:
    """Return what is sent as an archive, which it is not."""
    del context
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


ANSWER_WITHIN_S = 15.0
FRESH_AFTER = 50  # cases: what they delete is made anew
ODD_TEXTS = [
    "",
    "\0",
    "a\0b",
    "-1",
    "0",
    "9" * 400,
    "null",
    "..",
    "../..",
    "a/b",
    "%",
    "👍",
    "x" * 3000,
    "[",
    "\r\n",
]
ODD: list[Any] = [None, True, -1, 0, 1.5, 2**31, 2**63, 10**400, [], {}, [None], {"": {}}, {"a\0": "\0"}]
ELSEWHERE = {307, 404, 405}  # what another route, or none, says
SAID_BY_DESIGN = {501, 503}  # no bundles are built, no embeddings are configured: both are documented


@dataclass
class Round:
    """What was sent and what was answered."""

    url: str
    sent: int = 0
    answered: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = Counter(f"{status // 100}xx" for status in self.answered.elements())
        return f"{self.sent} cases: {dict(sorted(kinds.items()))}, {len(self.problems)} problems"


def fuzz(url: str, cases: int, *, start: int = 1) -> Round:
    """Send at least `cases` cases, of every operation, by generators that start from `start`."""
    done = Round(url)
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations: list[Any] = [cast("Any", result).ok() for result in schema.get_all_operations()]
    drawn = [(one, mode, one.as_strategy(generation_mode=mode)) for one in operations for mode in _modes(one)]
    known = _Known(url, random.Random(start))
    with requests.Session() as session:
        for again in itertools.count(start):
            each = -(-(cases - done.sent) // len(drawn))
            for _, mode, strategy in drawn:
                spoil = mode is GenerationMode.POSITIVE
                _draw(strategy, each, again, partial(_send, done, session, known, spoil))
            if done.sent >= cases:
                return done
    raise AssertionError("unreachable")


def _modes(operation: Any) -> list[GenerationMode]:
    """Return the modes of schemathesis that are quick: wrong parameters take it up to three seconds each.

    Wrong parameters are made here instead, in `_Known.spoil`.
    """
    others = (operation.path_parameters, operation.query, operation.headers)
    quick = bool(operation.body) and not any(others)
    return [GenerationMode.POSITIVE, GenerationMode.NEGATIVE] if quick else [GenerationMode.POSITIVE]


def _draw(strategy: Any, count: int, start: int, use: Callable[[Any], None]) -> None:
    @seed(start)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def drawn(case: Any) -> None:
        use(case)

    drawn()


class _Known:
    """Real ids, which a part of the cases names."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.url = url
        self.chance = chance
        self.uses = itertools.count()
        self.ids: dict[str, list[str]] = {}

    def put_into(self, case: Any) -> None:
        """Replace ids of two cases of three by real ones."""
        if next(self.uses) % FRESH_AFTER == 0:
            self.ids = dict(self._made())
        if self.chance.random() < 1 / 3:
            return
        pair = self.chance.randrange(2)
        for place in (case.path_parameters, case.body):
            if isinstance(place, dict):
                for name in place.keys() & self.ids.keys():
                    place[name] = self.ids[name][pair % len(self.ids[name])]

    def spoil(self, case: Any) -> None:
        """Put something odd into one place of every second case."""
        places = [one for one in (case.path_parameters, case.query, case.body) if _within(one)]
        if not places or self.chance.random() < 1 / 2:
            return
        place = self.chance.choice(places)
        while deeper := [one for one in _within(place).values() if _within(one)]:
            if self.chance.random() < 1 / 2:
                break
            place = self.chance.choice(deeper)
        name = self.chance.choice(list(_within(place)))
        in_path = place is case.path_parameters or place is case.query
        place[name] = self.chance.choice(ODD_TEXTS if in_path else [*ODD_TEXTS, *ODD])

    def _made(self) -> Iterator[tuple[str, list[str]]]:
        with httpx.Client(base_url=self.url, timeout=20) as http:
            threads, runs = [], []
            for graph, given_ in (("steps", {"n": 1}), ("asks", {})):
                thread = http.post("/threads", json={}).json()["thread_id"]
                run = http.post(f"/threads/{thread}/runs", json={"assistant_id": graph, "input": given_})
                http.get(f"/threads/{thread}/runs/{run.json()['run_id']}/join")
                threads.append(thread)
                runs.append(run.json()["run_id"])
            made = http.post("/assistants", json={"graph_id": "steps"}).json()["assistant_id"]
            order = {"assistant_id": "steps", "schedule": "0 0 1 1 *", "input": {"n": 1}}
            cron = http.post("/runs/crons", json=order).json()["cron_id"]
            state = http.get(f"/threads/{threads[0]}/state").json()
            yield "thread_id", threads
            yield "run_id", runs
            yield "assistant_id", ["steps", made]
            yield "graph_id", ["steps", "asks"]
            yield "cron_id", [cron]
            yield "checkpoint_id", [state["checkpoint"]["checkpoint_id"]]


def _within(value: Any) -> dict[Any, Any]:
    if isinstance(value, list):
        return dict(enumerate(value))
    return value if isinstance(value, dict) else {}


def _send(done: Round, session: requests.Session, known: "_Known", spoil: bool, case: Any) -> None:
    known.put_into(case)
    if spoil:
        known.spoil(case)
    done.sent += 1
    prepared = session.prepare_request(requests.Request(**_request(case, done.url)))
    try:
        with session.send(prepared, stream=True, timeout=ANSWER_WITHIN_S, allow_redirects=False) as answer:
            done.answered[answer.status_code] += 1
            wrong = _wrong(case, answer)
    except requests.RequestException as error:
        wrong = f"{type(error).__name__}: {error}"
    if wrong:
        told = f"{prepared.method} {prepared.url} {prepared.body!r:.300}"
        done.problems.append(f"{case.operation.label}: {wrong}\n    {told}")


def _request(case: Any, url: str) -> dict[str, Any]:
    options = case.as_transport_kwargs(base_url=url)
    return {name: value for name, value in options.items() if name not in ("timeout", "verify", "proxies")}


def _wrong(case: Any, answer: requests.Response) -> str | None:
    status = answer.status_code
    kind = answer.headers.get("content-type", "")
    if status >= 500 and status not in SAID_BY_DESIGN:
        return f"{status}: {answer.text[:300]}"
    if "x-request-id" not in answer.headers:
        return f"{status} has no request id"
    if kind.startswith("text/event-stream"):  # open as long as its thread: seen to begin, then closed
        declared = case.operation.definition.raw["responses"].get(str(status), {}).get("content", {})
        return None if "text/event-stream" in declared else f"{status} streams, and its route does not say so"
    if _only_waits(answer):  # for a run that begins in years, say
        return None
    if status >= 400 and (wrong := _no_reason(answer)):
        return wrong
    if status in ELSEWHERE and not _one_part_each(case.path_parameters):
        return None
    try:
        case.validate_response(answer, checks=CONFORMS)
    except FailureGroup as group:
        return "; ".join(f"{type(one).__name__}: {str(one)[:300]}" for one in group.exceptions)
    return None


def _only_waits(answer: requests.Response) -> bool:
    """Read an answer; return whether it gives signs of life instead of an end."""
    said = b""
    for piece in answer.iter_content(65536):
        said += piece
        if not said.strip():
            return True
    answer._content = said
    return False


def _one_part_each(names: Any) -> bool:
    """Return whether the path still leads to its own route: no part is empty, of dots, or two."""
    return not any(str(part).strip("./") == "" or "/" in str(part) for part in (names or {}).values())


def _no_reason(answer: requests.Response) -> str | None:
    try:
        told = answer.json()
    except ValueError:
        return f"{answer.status_code} without JSON: {answer.text[:200]}"
    if isinstance(told, dict) and "error" in told:  # JSON-RPC and protocol v2 have a shape of their own
        return None
    if isinstance(told, dict) and isinstance(told.get("detail"), str) and isinstance(told.get("code"), str):
        return None
    return f"{answer.status_code} without detail and code: {answer.text[:200]}"
