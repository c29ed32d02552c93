"""Who should work on a request, by rules: Russian and English, by stems and at word boundaries.

A request is cut into clauses. A clause that opens with a verb of change (after courtesies) belongs to the
coder; one that opens with a question word or a verb of looking belongs to ask; of both, the coder, who can
look as well. A sentence that opens with a question word is a question to its end: "how do I add a tool and
remove another?" changes nothing. Negated verbs do not count. Where no rule speaks, none is bent.
"""

import re
from dataclasses import dataclass
from typing import Literal

CHANGE = re.compile(
    r"""(?:
        add|append|insert|put|prepend|create|make|write|rewrite|change|replace|rename|remove|delete|drop
    |erase|fix|repair|correct|refactor|implement|update|edit|modify|move|convert|extend|introduce|bump
    |reformat|format|clean\ up|simplify|split|extract|inline|merge|port|migrate|generate|scaffold|build
    |set|swap|uncomment|comment\ out|translate|optimi[sz]e|improve|apply|undo|revert|sort|document
    |добав(?:ь|ьте|ить|им)|допи(?:ши|шите|сать|шем)|впи(?:ши|шите|сать)|встав(?:ь|ьте|ить|им)
    |созда(?:й|йте|ть|дим)|сдела(?:й|йте|ть|ем)|напи(?:ши|шите|сать|шем)|перепи(?:ши|шите|сать|шем)
    |замен(?:и|ите|ить|им|яй)|измен(?:и|ите|ить|им)|поменя(?:й|йте|ть|ем)|смен(?:и|ите|ить)
    |переимен(?:уй|уйте|овать)|удал(?:и|ите|ить|им|яй)|убер(?:и|ите|ём|ем)|убрать|сотр(?:и|ите)|стереть
    |исправ(?:ь|ьте|ить|им|ляй)|поправ(?:ь|ьте|ить|им)|почин(?:и|ите|ить|им)|чин(?:и|ите|ить)
    |отрефактор(?:и|ь|ить)\w*|рефактор(?:и|ь|ить)\w*|реализ(?:уй|уйте|овать)|обнов(?:и|ите|ить|им)
    |перемест(?:и|ите|ить)|перенес(?:и|ите|ти)|внес(?:и|ите|ти)|дополн(?:и|ите|ить)
    |оптимизир(?:уй|уйте|овать)|улучш(?:и|ите|ить)|вынес(?:и|ите|ти)|выдел(?:и|ите|ить)
    |подстав(?:ь|ьте|ить)|отформатир(?:уй|уйте|овать)|сгенерир(?:уй|уйте|овать)|перевед(?:и|ите)|перевести
    |закомментир(?:уй|уйте|овать)|раскомментир(?:уй|уйте|овать)|упрост(?:и|ите|ить)
    |отсортир(?:уй|уйте|овать)|откат(?:и|ите|ить)|подготов(?:ь|ьте|ить)
    )(?!\w)""",
    re.VERBOSE,
)
LOOK = re.compile(
    r"""(?:
        explain|describe|show|find|list|tell|summari[sz]e|compare|count|search|look|read|open|print|check
    |review|analy[sz]e|give|grep|locate|trace|walk|help\ me\ understand|inspect|see|browse|outline
    |объясн(?:и|ите|ить)|поясн(?:и|ите|ить)|расскаж(?:и|ите)|рассказать|покаж(?:и|ите)|показать
    |най(?:ди|дите|ти)|опи(?:ши|шите|сать)|перечисл(?:и|ите|ить)|сравн(?:и|ите|ить)|посмотр(?:и|ите|еть)
    |глян(?:ь|ьте)|прочита(?:й|йте|ть)|прочт(?:и|ите)|поищ(?:и|ите)|искать|поискать|выведи(?:те)?|вывести
    |посчита(?:й|йте|ть)|сосчита(?:й|йте|ть)|подскаж(?:и|ите)|скаж(?:и|ите)|дай(?:те)?|открой(?:те)?
    |проверь(?:те)?|проверить|проанализир(?:уй|уйте|овать)|разбер(?:и|ись|ите|итесь)|изучи(?:те)?|изучить
    |ознаком(?:ь|ься|ьтесь)|узна(?:й|йте|ть)|понять|процитир(?:уй|уйте)
    )(?!\w)""",
    re.VERBOSE,
)
QUESTION = re.compile(
    r"""(?:
        what(?:'s|s)?|where(?:'s|s)?|which|who(?:se|m)?|why|how|when|is|are|was|were|does|do|did|has|have
    |should|would|any|что|чего|чему|чем|где|куда|откуда|как|каким|како[йемг]\w*|какая|какие|каких|какую
    |каков\w*|зачем|почему|отчего|когда|кто|кого|кому|кем|сколько|чей|чья|чьё|чьи|есть\ ли|можно\ ли
    |нужно\ ли|надо\ ли|правда\ ли|верно\ ли|в\ чём|в\ чем|о\ чём|о\ чем|для\ чего|за\ что|на\ каком
    |в\ как\w+|из\ чего|с\ чего|по\ как\w+|при\ как\w+|от\ чего
    )(?!\w)""",
    re.VERBOSE,
)
SMALL_TALK = re.compile(
    r"(?:hi|hello|hey|thanks|thank you|good (?:morning|evening|day)|who are you|what can you do|help"
    r"|привет\w*|здравствуй\w*|добр(?:ый|ое|ого) \w+|спасибо|благодар\w+|кто ты|что ты умеешь|помощь"
    r"|хай|салют)(?!\w)"
)
COURTESY = re.compile(
    r"""(?:
        please|pls|kindly|ok|okay|so|now|then|also|and|but|first|next|finally|just|hey|hi|hello|great
    |thanks|well|actually|(?:can|could|would|will)\ you(?:\ please)?|i(?:'d|\ would)\ like\ (?:you\ )?to
    |i\ (?:want|need)\ (?:you\ )?to|let's|let\ us|you\ (?:should|must|need\ to)|try\ to|go\ and
    |help\ me(?:\ to)?(?=\ (?!understand))|пожалуйста|плиз|а|и|ну|но|так|теперь|потом|затем|ещё|еще|также
    |давай(?:те)?|можешь|можете|мог(?:ла|ли)?\ бы(?:\ ты|\ вы)?|не\ мог(?:ла|ли)?\ бы(?:\ ты|\ вы)?|нужно
    |надо|необходимо|следует|хочу|хотелось\ бы|прошу|попробуй(?:те)?|помоги(?:те)?(?:\ мне)?|сначала
    |сперва|для\ начала|ты|вы|мне|нам|быстро|просто|привет|здравствуй(?:те)?|спасибо|ладно|хорошо|тогда
    |чтобы\ ты|сразу
    )(?:\s*,\s*|\s+|$)""",
    re.VERBOSE,
)
NOT = re.compile(r"(?:don't|do not|dont|never|without|не|ничего не|никогда не|без)(?!\w)")
PRODUCT_OF_LOOKING = re.compile(
    r"\b(?:summary|overview|explanation|description of what|list of|report on"
    r"|обзор\w*|объяснени\w+|пояснени\w+|список|перечень|саммари|сводк\w+|анализ\w*|резюме)\b"
)
TELLING = re.compile(
    r"(?:напи(?:ши|шите|сать)|write|сделай(?:те)?|make|create|подготов(?:ь|ьте)|generate|build)(?!\w)"
)
SUBORDINATE = re.compile(
    r"\s*(?:me\s+|мне\s+)?,?\s*(?:what|where|which|who|why|how|when"
    r"|что|где|как|какой|какие|зачем|почему|кто|когда|сколько)\b"
)
FILE = re.compile(r"\b(?:file|файл\w*)\b|\S+\.\w{1,5}\b|`[^`]+`")

SENTENCES = re.compile(r"(?<=[.!?…;])\s+|\n+")
CLAUSES = re.compile(
    r"\s*(?:,|:|—| - |\band then\b|\bthen\b|\band\b|\bbut\b|\bи\b|\bа\b|\bно\b|\bзатем\b|\bпотом\b)\s*"
)
NAMES = re.compile(r"\S*\w[/_.]\w\S*")
QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"|`[^`]*`|(?<!\w)'[^']*'(?!\w)")


@dataclass(frozen=True, slots=True)
class Choice:
    """Who works, and the word that told."""

    agent: Literal["coder", "ask"]
    word: str


def choose(request: str) -> Choice | None:
    """Return who should work on `request`, or None where the rules are silent.

    >>> choose("Replace 'a' with 'b' in notes.txt").agent
    'coder'
    >>> choose("Как добавить инструмент?").agent
    'ask'
    >>> choose("notes.txt") is None
    True
    """
    text = QUOTED.sub("«»", request.strip().lower().replace("’", "'"))
    if not re.search(r"\w", text):
        return None
    looked: Choice | None = None
    for sentence in SENTENCES.split(text):
        opening = bare(sentence)
        if found := QUESTION.match(opening):
            looked = looked or Choice("ask", found[0])
            continue
        starts = [0, *(cut.end() for cut in CLAUSES.finditer(sentence))]
        for start in starts:
            if choice := _of_clause(sentence[start:]):
                if choice.agent == "coder":
                    return choice
                looked = looked or choice
    if looked is None and (found := SMALL_TALK.match(text)):
        return Choice("ask", found[0])
    if looked is None and text.endswith("?"):
        return Choice("ask", "?")
    return looked


def is_russian(text: str) -> bool:
    """Say whether most letters of a text outside quotations and paths are Cyrillic."""
    words = NAMES.sub(" ", QUOTED.sub(" ", text.lower()))
    russian = len(re.findall(r"[а-яё]", words))
    return russian > 0 and russian >= len(re.findall(r"[a-z]", words))


def _of_clause(clause: str) -> Choice | None:
    """Judge by the words a clause opens with; what follows it tells only what is to be written."""
    clause = bare(clause)
    if NOT.match(clause):
        return None
    if found := CHANGE.match(clause):
        rest = clause[found.end() :]
        tells = TELLING.match(clause)
        if tells and (SUBORDINATE.match(rest) or (PRODUCT_OF_LOOKING.search(rest) and not FILE.search(rest))):
            return Choice("ask", found[0])
        return Choice("coder", found[0])
    if found := LOOK.match(clause) or QUESTION.match(clause):
        return Choice("ask", found[0])
    return None


def bare(clause: str) -> str:
    """Drop the courtesies before the verb.

    >>> bare("Could you please fix it")
    'fix it'
    """
    clause = clause.strip().lstrip("\"'«»([{-–—*•># \t")
    while found := COURTESY.match(clause.lower()):
        if found.end() >= len(clause) or not found[0]:
            break
        clause = clause[found.end() :]
    return clause
