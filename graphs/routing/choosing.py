"""From clauses to an agent.

Each clause is one deed about one matter, and so work for one agent, or a look, or nothing. All work of a
request together is one agent's, or a plan's when it is of several kinds. Looking gives way to work: who works
can look as well. Where no rule speaks, none is bent.
"""

import re
from dataclasses import dataclass

from artel.graphs.routing.language import bare, clauses, plain, sentences
from artel.graphs.routing.matters import (
    CODE,
    DOCS,
    MATTERS,
    PROFILER,
    REVIEWER,
    SECURITY,
    SHAPE,
    TESTS,
    Matter,
)
from artel.graphs.routing.verbs import (
    NAMES_TOO,
    NOT,
    PRODUCT_OF_LOOKING,
    PRONOUN,
    QUESTION,
    SMALL_TALK,
    SUBORDINATE,
    VAGUE,
    WHY,
    Deed,
    Verb,
    verb,
)

INTO = re.compile(
    r" (?:to|into|in|as|в|во) (?:the |a )?(?:(?:new )?file\b|файл\b|«»|\S{0,120}\w\.\w{1,5}\b|readme|docs?\b)"
)
RELATIVE = re.compile(r" (?:that|which|who|whose|котор\w+|so that) ")
NOUN = re.compile(r" (?:is|are|was|were|has|takes|does|doesn't|did|didn't|keeps|never|fail|pass|crash|hang)")
STEPS = re.compile(
    r"\b(?:разбей\w* (?:\S+ ){0,4}на (?:шаги|этапы|подзадачи)"
    r"|состав\w+ план и |план и (?:выполни|сделай|реализуй)"
    r"|break (?:\S+ ){1,4}(?:in)?to (?:steps|subtasks|stages)|(?:make|write|draw up) a plan and )"
)
IN_DOCS = re.compile(
    r"(?: (?:it|them|this|это|ее|его|их))? (?:in|to|into|в|во) (?:the )?"
    r"(?:docs?\b|readme|changelog|доке|документаци|\S{1,120}\.md\b)\S*"
)
DESCRIBING = re.compile(r"describe|опи(?:ши|шите|сать)")
SCENE = re.compile(r" (?:while|when|if|instead|next to|above|below|on the|in the (?:header|footer|sidebar)) ")
WANTS = re.compile(r"(?:\S+ ){0,2}(?:хочу|хотим|нужно|надо|необходимо) (?!чтобы)")
CASE = re.compile(r"(?:when|когда)\b[^?]*,[^?]*$")
TELLABLE = ("document_writer", "architect", "reviewer", "test_writer")
COMPANIONS = {
    "coder": ("test_writer", "document_writer"),
    "debug": ("test_writer", "document_writer", "coder"),
}
"Work that goes with another's so often that one agent does both."


@dataclass(frozen=True, slots=True)
class Choice:
    """Who works, and the word that told."""

    agent: str
    word: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What one clause says: whose work it is, or `ask`."""

    agent: str
    word: str
    how: str = "done"
    "done: a deed is asked for; told: something is stated; asked: it is a question."
    deed: Deed | None = None


def choose(request: str) -> Choice | None:
    """Return who should work on `request`, or None where the rules are silent.

    The agent is the name of a role, or `plan` for work of several kinds. A long request is judged by how it
    begins and ends.

    >>> choose("Replace 'a' with 'b' in notes.txt").agent
    'coder'
    >>> choose("Напиши тесты на разбор дат").agent
    'test_writer'
    >>> choose("Как добавить инструмент?").agent
    'ask'
    >>> choose("notes.txt") is None
    True
    """
    text = plain(request)
    if not re.search(r"\w", text):
        return None
    if found := STEPS.search(text):
        return Choice("plan", found[0].strip())
    said: list[_Said] = []
    for place, sentence in enumerate(sentences(text)):
        _read(sentence, said, goes_on=place > 0)
    if work := _joined([one for one in said if one.agent != "ask"]):
        return work
    if said:
        return Choice("ask", said[0].word)
    if found := SMALL_TALK.match(text):
        return Choice("ask", found[0])
    return Choice("ask", "?") if text.endswith("?") else None


def _joined(said: list[_Said]) -> Choice | None:
    """Return whose the work is altogether."""
    done: dict[str, _Said] = {}
    told: dict[str, _Said] = {}
    for one in said:
        (told if one.how == "told" else done).setdefault(one.agent, one)
    if not done:
        return next((Choice(one.agent, one.word) for one in told.values()), None)
    if set(done) == {"coder"} and "debug" in told and done["coder"].deed == "mend":
        return Choice("debug", told["debug"].word)
    if set(done) == {"coder", "architect"} and done["architect"].how == "asked":
        return Choice("architect", done["architect"].word)
    first, *more = done
    if set(more) <= set(COMPANIONS.get(first, ())) and len(more) < 2:
        return Choice(first, done[first].word)
    return Choice("plan", ", ".join(one.word for one in done.values()))


def _read(sentence: str, said: list[_Said], *, goes_on: bool) -> None:
    """Add what each clause of a sentence says; a question is one to its end."""
    opening = bare(sentence)
    if not CASE.match(opening) and (asked := QUESTION.match(opening)):
        said.append(_asked(opening, asked[0]))
        return
    last = Verb("", "want", 0) if WANTS.match(sentence) else None
    begun = len(said)
    for clause in clauses(sentence):
        found = verb(clause)
        if found and NOUN.match(clause, found.end):
            found = None
        if found and found.word in NAMES_TOO and found.end == len(clause) and len(said) > begun:
            continue
        if found:
            last = found
            if done := _done(found, clause, said, goes_on=goes_on):
                said.append(done)
        elif question := QUESTION.match(clause):
            if not any(one.agent != "ask" for one in said[begun:]):
                said.append(_asked(clause, question[0]))
        elif one := _stated(clause):
            said.append(one)
        elif not NOT.match(clause) and last and (noun := _listed(clause, last, first=len(said) == begun)):
            said.append(noun)


def _asked(question: str, word: str) -> _Said:
    why = WHY.match(question)
    for matter in MATTERS:
        pattern = matter.told if why and matter.whys else matter.asked
        if pattern and (found := pattern.search(question)):
            return _Said(matter.agent, found[0], "asked")
    return _Said("ask", word, "asked")


def _done(found: Verb, clause: str, before: list[_Said], *, goes_on: bool) -> _Said | None:
    """Return who does a deed, by what it is done to.

    `it` is the matter of what was said `before`; `goes_on`: it is not the first sentence.
    """
    rest = RELATIVE.split(clause[found.end :], maxsplit=1)[0]
    for matter in MATTERS:
        if matter.verb and (alone := matter.verb.match(clause)):
            closer = _object(found.deed, rest, (SECURITY, PROFILER)) if matter in (REVIEWER, TESTS) else None
            return closer or _Said(matter.agent, alone[0], deed=found.deed)
    if PRONOUN.match(rest) and found.deed not in ("tell", "examine"):
        work = next((one for one in reversed(before) if one.agent != "ask"), None)
        if work is None and goes_on and found.deed == "mend":
            return _Said("debug", found.word, deed=found.deed)
        if work and work.agent not in ("reviewer", "architect"):
            return _Said(work.agent, work.word, deed=found.deed)
    if found.deed in ("write", "build", "better") and not before and VAGUE.match(rest):
        return None
    if DESCRIBING.match(clause) and (place := IN_DOCS.match(rest)):
        return _Said(DOCS.agent, place[0].strip(), deed=found.deed)
    if found.deed == "write" and SUBORDINATE.match(rest):
        return _Said("ask", found.word)
    if thing := _matter(found, rest, before):
        return thing
    if found.deed == "propose":
        return _Said("architect", found.word, deed=found.deed)
    scene = found.word in ("show", "показывай") and SCENE.search(clause)
    looks = found.deed in ("tell", "examine") and not scene
    return _Said("ask" if looks else "coder", found.word, deed=found.deed)


def _matter(found: Verb, rest: str, before: list[_Said]) -> _Said | None:
    """Return whose matter it is, unless only a telling of it is wanted: `write a summary of …`."""
    thing = _object(found.deed, rest, MATTERS)
    if found.deed == "write" and (told := PRODUCT_OF_LOOKING.search(rest)) and not INTO.search(rest):
        later = thing and thing.agent in TELLABLE and rest.index(thing.word) > told.start()
        if thing is None or later:
            return _Said("ask", found.word)
    if thing is None and found.deed == "mechanical" and before:
        last = next((matter for matter in MATTERS if matter.agent == before[-1].agent), None)
        if last and last.object.search(rest):
            return _Said(last.agent, found.word, deed=found.deed)
    return thing


def _object(deed: Deed, rest: str, matters: tuple[Matter, ...]) -> _Said | None:
    """Return whose matter is named first among those on which this deed is work of their agent."""
    hits = [
        (hit.start(), place, matter, hit[0])
        for place, matter in enumerate(matters)
        if deed in matter.deeds and (hit := matter.object.search(rest))
    ]
    if not hits:
        return None
    _, _, matter, word = min(hits, key=lambda hit: hit[:2])
    return _Said(matter.agent, word, deed=deed)


def _stated(clause: str) -> _Said | None:
    for matter in MATTERS:
        if matter.told and (found := matter.told.search(clause)):
            return _Said(matter.agent, found[0], "told")
    return None


def _listed(clause: str, last: Verb, *, first: bool) -> _Said | None:
    """Return whose matter a clause names that goes on with the verb before it: `…, tests and docs`."""
    if last.deed in ("tell", "examine", "mechanical") or " не " in clause:
        return None
    if thing := _object("want" if last.deed == "want" else "write", clause, MATTERS):
        return thing
    if found := SHAPE.match(clause):
        return _Said("architect", found[0])
    if found := CODE.match(clause):
        return _Said("coder", found[0])
    return _Said("coder", clause.split()[0], deed="want") if first and last.deed == "want" else None
