"""When a request gets a plan, and how a plan is made of it: by a model, or of the deeds it names."""

import re
from collections.abc import Mapping
from json import dumps

from artel.graphs.drafts import DraftStep, read, shown
from artel.graphs.plan import MAX_STEPS, Plan, PlanWrong, new
from artel.graphs.routing import bare, choose
from artel.graphs.routing.verbs import verb
from artel.graphs.thinking import think
from artel.prompts import render

WISH = re.compile(
    r"\b(?:step by step|in (?:several )?steps|make (?:me )?a plan|plan (?:it|this|the work)|by (?:a )?plan"
    r"|(?:состав|сдела|напи)\w* план|по плану|по шагам|пошагово|поэтапно|разбе\w* (?:\w+ )?на (?:шаги|этапы)"
    r")\b"
)
ITEM = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+(\S.*)$", re.MULTILINE)
FOR_PLAN = re.compile(
    r"^[^:\n]{0,60}?\b(?:plan|steps?|план\w*|шагам|пошагово)\b[^:\n]{0,30}?(?::|,? and\b|,? и\b|,)\s*",
    re.IGNORECASE,
)
CUT = re.compile(
    r"«[^»]*»|“[^”]*”|\"[^\"]*\"|`[^`]*`|(?<!\w)'[^']*'(?!\w)"
    r"|(?P<cut>(?:[.;]\s+|\n+|,\s+)(?:(?:and|then|и|а|потом|затем)\s+){0,2}"
    r"|\s+(?:(?:and|then|и|потом|затем)\s+){1,2})",
    re.IGNORECASE,
)
MAX_TITLE = 300  # characters


def wants_plan(request: str) -> bool:
    """Say whether a request asks for a plan, or is a list of things to do of which one changes files.

    >>> wants_plan("Сделай по шагам: добавь поле, потом форму"), wants_plan("Explain it step by step")
    (True, False)
    """
    choice = choose(request)
    if WISH.search(request.lower()) and (choice is None or choice.agent != "ask"):
        return True
    return len(_items(request)) > 1


async def planned(
    request: str,
    agents: Mapping[str, str],
    *,
    wish: str,
    depth: int,
    before: Plan | None = None,
    words: str = "",
) -> Plan | None:
    """Return a plan for a request; None: nobody could make one.

    A model's plan that breaks a rule goes back to it once, with the error. `before` and `words`: the plan
    that a person was shown and what they said to it.

    Raises:
        NoModelAnswered: no model did.
    """
    problem, said = "", None
    for _ in range(2):
        prompt = render(
            "orchestrator/plan",
            request=request,
            agents=list(agents.items()),
            max_steps=MAX_STEPS,
            before=dumps(shown(before), ensure_ascii=False, indent=1) if before else "",
            words=words,
            problem=problem,
        )
        said = await think("plan", prompt, wish)
        if said is None:
            break
        try:
            return read(said, agents, depth=depth)
        except PlanWrong as wrong:
            problem = str(wrong)
    items = _items(request) or (_parts(request) if said is None else [])
    return _of_items(request, items, agents, depth=depth)


def _of_items(
    request: str, items: list[tuple[str, str]], agents: Mapping[str, str], *, depth: int
) -> Plan | None:
    """Return the items of a list, or the deeds of a sentence, as steps, one after the other."""
    items = items[:MAX_STEPS]
    if len(items) < 2 or not {"coder", "ask"} <= agents.keys():
        return None
    steps = [
        DraftStep(
            id=str(number),
            title=title,
            agent=agent if agent in agents else "coder",
            depends_on=[str(number - 1)] if number > 1 else [],
        ).step
        for number, (title, agent) in enumerate(items, 1)
    ]
    first, *_ = request.strip().splitlines()
    goal = first if not ITEM.match(first) else "; ".join(title for title, _ in items)
    return new(goal[:1_000], steps, agents, depth=depth)


def _items(request: str) -> list[tuple[str, str]]:
    """Return the items of a list with who does each; none if one is nobody's, or none changes anything."""
    texts = [text.strip()[:MAX_TITLE] for text in ITEM.findall(request)]
    choices = [choose(text) for text in texts]
    if not all(choices) or not any(choice and choice.agent == "coder" for choice in choices):
        return []
    return [(text, choice.agent) for text, choice in zip(texts, choices, strict=True) if choice]


def _parts(request: str) -> list[tuple[str, str]]:
    """Return the deeds of a request in the order in which it names them, with who does each.

    None if one of them is nobody's, or all of them only look.

    >>> _parts("Fix the crash in cart.py, write tests and update the README")[1]
    ('write tests', 'test_writer')
    """
    text = FOR_PLAN.sub("", request.strip())
    cuts = [found for found in CUT.finditer(text) if found["cut"] and verb(bare(text[found.end() :]).lower())]
    edges = zip([0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(text)], strict=True)
    texts = [text[start:end].strip(" .,;\n")[:MAX_TITLE] for start, end in edges]
    choices = [choose(each) for each in texts]
    if not all(choices) or all(choice and choice.agent == "ask" for choice in choices):
        return []
    return [(each, choice.agent) for each, choice in zip(texts, choices, strict=True) if choice]
