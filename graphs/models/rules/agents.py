"""Which rule answers: by the agent that asks, and by what is asked of it."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from artel import prompts
from artel.graphs.models.rules import debugging, profiling, reviewing, securing, testing, writing
from artel.graphs.models.rules.abilities import ABILITIES, able
from artel.graphs.models.rules.deeds import spelled_out
from artel.graphs.models.rules.editing import CHANGING
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.reading import answer
from artel.graphs.models.rules.search import search
from artel.graphs.models.rules.turn import Rule, Turn, Undone
from artel.graphs.models.rules.words import subject, terms
from artel.graphs.routing import choose

GREETING = re.compile(r"^\W*(?:hi|hello|hey|привет\w*|здравствуй\w*|добр\w+ \w+)\b[\s!.,]*$", re.IGNORECASE)
ABOUT_ITSELF = re.compile(
    r"^\W*(?:help|what can you do|who are you|thanks|thank you"
    r"|помощь|помоги|что ты (?:умеешь|можешь)|кто ты|спасибо)"
    r"(?:\s+(?:here|for me|тут|здесь|мне))?\W*$",
    re.IGNORECASE,
)

Working = Callable[[Turn, Phrases], Rule]
WORK: Mapping[str, Working] = {
    "architect": lambda turn, say: writing.note(turn.request, say),
    "debug": lambda turn, say: debugging.debug(turn.request, turn.failing, say),
    "document_writer": lambda turn, say: writing.document(turn.request, say),
    "profiler": lambda turn, say: profiling.profile(turn.request, say),
    "reviewer": lambda turn, say: reviewing.review(turn.request, say),
    "security": lambda turn, say: securing.look(turn.request, say),
    "test_writer": lambda turn, say: testing.write(turn.request, say),
}
MINE: Mapping[str, re.Pattern[str]] = {
    "architect": re.compile(
        r"design|propos|architect|structure|note|спроектир|предлож|архитект|устройств|структур|записк", re.I
    ),
    "debug": re.compile(
        r"\bdebug|fail|crash|broken|error|wrong|reproduc|падает|упал|сломан|ошибк|отлад|не работает",
        re.I,
    ),
    "document_writer": re.compile(r"\bdocument|\bdocs?\b|readme|write up|документ|ридми|опиши|напиши", re.I),
    "profiler": re.compile(
        r"measur|profil|\bslow|how (?:fast|long)|benchmark|измер|профил|медлен|сколько занимает|замер",
        re.I,
    ),
    "reviewer": re.compile(
        r"review|diff|check|change|wrong|look (?:at|over)|ревью|провер|посмотри|изменени|правк|замечан", re.I
    ),
    "security": re.compile(
        r"secur|secret|vulnerab|weakness|inject|leak|password|audit|безопасн|секрет|уязвим|инъекц|утеч|парол|аудит",
        re.I,
    ),
    "test_writer": re.compile(r"\btests?\b|cover|тест|покр", re.I),
}
"""Words that make a request a role's own work, though it sounds like a question."""


def role_of(turn: Turn) -> str:
    """Return the role whose prompt an agent has; of one that a user wrote, what its tools are most like."""
    for name, prompt in _prompts().items():
        if turn.system.startswith(prompt):
            return name
    return "coder" if turn.tools & CHANGING else "ask"


def rule(turn: Turn, role: str, say: Phrases) -> Rule:
    """Return the rule that answers a turn."""
    request = turn.request
    if GREETING.match(request):
        return _say(f"{say.greeting}\n\n{able(role, say)}")
    if ABOUT_ITSELF.match(request) or not request.strip():
        return _say(able(role, say))
    if "grep" not in turn.tools:
        return _say(
            Undone(
                say(
                    "I have no tools to look with, and can only look.",
                    "У меня нет инструментов, чтобы смотреть, а умею я только это.",
                )
            )
        )
    work, choice = WORK.get(role), choose(request)
    own = work is not None and (bool(turn.failing) or bool(choice and choice.agent == role))
    if not turn.failing and (deeds := spelled_out(request, say, turn.tools, quoted=own)):
        return deeds
    if work and (own or choice is None or MINE[role].search(request)):
        return work(turn, say)
    if choice is None or choice.agent == "ask":
        return answer(request, say)
    if choice.agent == "debug" and "execute" in turn.tools:
        return debugging.debug(request, turn.failing, say)
    return _cannot(request, role, choice.agent, say)


def _cannot(request: str, role: str, whose: str, say: Phrases) -> Rule:
    """Say that it takes a model or another agent, and show where the words of a request stand."""
    if whose not in (role, "coder", "plan") and whose in ABILITIES:
        head = say(
            f"That is work for the agent `{whose}`: ask it the same.",
            f"Это работа агента `{whose}`: попросите его о том же.",
        )
    else:
        head = say(
            "I did nothing: this takes a language model, or words that say exactly what to change.",
            "Я ничего не сделал: для этого нужна языковая модель или слова о том, что именно изменить.",
        )
    if whose in (role, "coder", "plan") and terms(subject(request)):
        head = f"{head}\n\n{(yield from search(subject(request), say))}"
    return Undone(f"{head}\n\n{able(role, say)}")


def _say(text: str) -> Rule:
    return text
    yield []  # a generator that calls nothing


@lru_cache(maxsize=1)
def _prompts() -> dict[str, str]:
    """Return how the system prompts of the roles that come with Artel begin."""
    return {
        name: prompts.read(f"{name}/role").split("\n---\n", 1)[1].strip()
        for name in prompts.having("role")
        if name in ABILITIES
    }
