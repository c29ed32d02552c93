"""A request as rules read it: language, sentences, clauses, and what in it are not its own words."""

import re
from collections.abc import Iterator

MAX_CHARS = 200_000
HEAD, TAIL = 2_000, 1_000  # characters
COURTESY = re.compile(
    r"""(?:
        please|pls|plz|kindly|ok|okay|so|now|then|also|and|but|or|first|second|third|next|finally|lastly|just
    |hey|hi|hello|great|thanks|well|actually|after\ that|afterwards|(?:can|could|would|will)\ you(?:\ please)?
    |would\ you\ mind|can\ we|could\ we|i(?:'d|\ would)\ like\ (?:you\ )?to
    |i\ (?:only\ )?(?:want|need)\ (?:you\ )?to
    |we\ (?:want|need|have)\ to|let's|let\ us|you\ (?:should|must|need\ to)|try\ to|go\ and|quickly|quick
    |help\ me(?:\ to)?(?=\ (?!understand))|it\ would\ be\ (?:nice|great)\ if\ you\ could
    |only|instead|there|here
    |before\ i\ change\ anything|quick\ question|be\ so\ kind(?:\ and|\ as\ to)?
    |i'd\ appreciate|feel\ free\ to
    |пожалуйста|пожалуйст|плиз|плз|а|и|ну|но|или|так|теперь|потом|затем|далее|ещё|еще|также|тоже|только|лишь
    |давай(?:те)?|можешь|можете|мог(?:ла|ли)?\ бы(?:\ ты|\ вы)?|не\ мог(?:ла|ли)?\ бы(?:\ ты|\ вы)?
    |(?:нужно|надо|необходимо|хочу|хотим|хотелось\ бы)(?!,?\ чтобы|\ ли\b)|следует|прошу|попробуй(?:те)?
    |помоги(?:те)?(?:\ мне)?|сначала
    |сперва|для\ начала|я|ты|вы|мы|мне|нам|пока|быстро|быстренько|просто|привет
    |здравствуй(?:те)?|спасибо|ладно
    |хорошо|тогда|чтобы\ (?:ты|вы)|сразу|слушай(?:те)?|интересно|кстати|будь\ добра?|будьте\ добры|ребята
    |если\ можно|если\ не\ (?:сложно|трудно)|в\ конце|после\ (?:этого|чего)|во-первых|во-вторых|в-третьих
    |у\ нас|у\ меня|вот|кажется|похоже|самое\ время|пора|(?:было\ бы\ )?(?:здорово|неплохо)(?:\ бы)?|\d+[.)]
    )(?:\s*[,:]\s*|\s+|$)""",
    re.VERBOSE,
)
SENTENCES = re.compile(r"(?<=[.!?…;])(?<!\b\d\.)\s+|\n+")
CLAUSES = re.compile(
    r"\s*(?:,|:|—|–| - |\band then\b|\bthen\b|\band\b|\bbut\b|\bи\b|\bа\b|\bно\b|\bзатем\b|\bпотом\b)\s*"
)
NAMES = re.compile(r"\S{0,200}\w[/_.]\w\S*")
FENCES = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
ASKED_NICELY = re.compile(r"(?<=\w),? (?:пожалуйста|плиз|плз|please|pls|plz)\b,?")
TELLING = re.compile(
    r"\b(напиши(?:те)?|write), (?=(?:что|как|где|почему|зачем|кто|когда|сколько|what|how|why)\b)"
)
BLANKS = re.compile(r"[^\S\n]+")
QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"|`[^`]*`|(?<!\w)'[^']*'(?!\w)")


def plain(request: str) -> str:
    """Return a request in small letters, `ё` as `е`, with code and quotations emptied: they ask for nothing.

    Of a long one the beginning and the end: between them stands what was pasted.

    >>> plain('Add «Remove it» to the FAQ')
    'add «» to the faq'
    """
    text = FENCES.sub("\n«»\n", request[:MAX_CHARS]).strip()
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n{text[-TAIL:]}"
    text = text.lower().replace("’", "'").replace("ё", "е")
    text = ASKED_NICELY.sub(" ", text.replace(", чтобы", " чтобы"))
    text = TELLING.sub(r"\1 ", text)
    return BLANKS.sub(" ", QUOTED.sub("«»", text))


def sentences(text: str) -> list[str]:
    """Cut a plain text where a sentence or a line ends; a number of a list ends none."""
    return [sentence for sentence in SENTENCES.split(text) if sentence.strip()]


def clauses(sentence: str) -> Iterator[str]:
    """Yield what stands between commas and conjunctions, without the courtesies before it."""
    for clause in CLAUSES.split(sentence):
        if said := bare(clause):
            yield said


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


def is_russian(text: str) -> bool:
    """Say whether most letters of a text outside quotations and paths are Cyrillic."""
    words = NAMES.sub(" ", QUOTED.sub(" ", FENCES.sub(" ", text.lower())))
    russian = len(re.findall(r"[а-яё]", words))
    return russian > 0 and russian >= len(re.findall(r"[a-z]", words))
