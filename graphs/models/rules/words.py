"""Which words of a question are worth looking for, and how a Russian one is called in code."""

import re
from pathlib import Path

from artel.graphs.routing import bare
from artel.graphs.routing.verbs import verb

FOLDER = Path(__file__).parent
QUOTE = r"(?:```\w*\n.*?```|«[^»]*»|“[^”]*”|„[^“]*“|\"[^\"]*\"|`[^`]*`|(?<!\w)'[^']*'(?!\w))"
PATH = re.compile(
    r"(?<![\w/.-])(?:[\w.-]+/)*[\w-]*[\w-]\.[A-Za-z]\w{0,9}(?![\w/])|(?<![\w/.-])(?:[\w.-]+/)+[\w.-]*"
)
KNOWN_FILES = re.compile(
    r"\b(?:README|LICENSE|Makefile|Dockerfile|CHANGELOG|CONTRIBUTING|SECURITY|ARCHITECTURE)\b"
)
IDENTIFIER = re.compile(r"\b(?:[A-Za-z]\w*_\w+|[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+|[a-z]+[A-Z]\w*)\b")

STOP = frozenset((FOLDER / "stop.txt").read_text(encoding="utf-8").split())
STOP_RU = re.compile(
    r"""^(?:а|без|бы|был\w*|быть|в|вам|вас|ваш\w*|весь|во|вот|все|всё|всех|вы|где|да|для|до|его|ее|её|если|есть|ещё|еще|же|за|зачем|сколько
    |здесь|и|из|или|им|их|к|как\w*|когда|кто|куда|ли|либо|между|меня|мне|мой|моя|мы|на|над|надо|нам|нас|наш\w*|не|него|нет|ни|но|ну|о|об
    |объясни\w*|он|она|они|оно|от|откуда|очень|по|под|пожалуйста|покажи\w*|почему|при|про|расскажи\w*|с|сам\w*|сейчас|со|так\w*|там|тебя
    |тем|то|того|тоже|только|тот|ты|тут|у|уже|чего|чем|через|что|чтобы|эт\w+|найди\w*|опиши\w*|перечисли\w*|подскажи\w*
    |файл\w*|папк\w*|код|кода|коде|проект\w*|репозитори\w*|функци\w*|класс\w*|метод\w*|модул\w*|строк\w*|дела\w+|сдела\w+|работа\w+
    |реализ\w+|определ\w+|наход\w+|лежит|лежат|использ\w+|происход\w+|устро\w+|нужн\w+|служ\w+|отвеча\w+|значит|означа\w+|написан\w*
    |описан\w*|содерж\w+|можно|может|могу|хран\w+(?=$)?)$""",
    re.VERBOSE,
)

IN_CODE = dict(
    line.split(maxsplit=1)
    for line in (FOLDER / "russian.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)

ENDINGS = re.compile(r"(?:ization|ations?|ements?|ments?|ings?|ed|es|s|ly|ies|ness)$")
RUSSIAN = re.compile(r"[а-яё]")


def terms(question: str) -> dict[str, str]:
    """Return the words worth looking for, each with a regular expression for the forms it takes in code.

    >>> terms("Where are the pears weighed?")
    {'pears': 'pear', 'weighed': 'weigh'}
    """
    found: dict[str, str] = {}
    for word in re.findall(r"[\w-]+", re.sub(r"[«»“”\"`']", " ", question)):
        lower = word.lower().strip("-_")
        if len(lower) < 2 or lower in STOP or lower.isdigit():
            continue
        if RUSSIAN.search(lower):
            if not STOP_RU.match(lower) and len(lower) > 2:
                found.setdefault(lower, _russian(lower))
        elif IDENTIFIER.fullmatch(word):
            found.setdefault(word, re.escape(word))
        else:
            found.setdefault(lower, _english(lower))
    return found


def subject(request: str) -> str:
    """Return a request without the verb that it opens with: what it is about.

    >>> subject("Design an import of prices")
    ' an import of prices'
    """
    said = bare(request)
    begins = verb(said.lower().replace("ё", "е"))
    return said[begins.end :] if begins else said


def identifiers(question: str) -> list[str]:
    """Return the names of code in a question: quoted, snake_case, CamelCase, called() or after `class`."""
    quoted = re.findall(r"[`«“\"']([A-Za-z_][\w.]*)(?:\(\))?[`»”\"']", question)
    named = re.findall(
        r"(?:function|class|method|variable|constant|функци\w+|класс\w*|метод\w*|переменн\w+|констант\w+)"
        r"\s+`?([A-Za-z_][\w.]*)",
        question,
    )
    called = re.findall(r"\b([A-Za-z_]\w*)\(\)", question)
    plain = [] if quoted else [name for name in IDENTIFIER.findall(question) if not PATH.search(name)]
    ignored = STOP | {"in", "that", "the"}
    names = [n.split(".")[-1] for n in (*quoted, *named, *called, *plain) if not PATH.fullmatch(n)]
    return list(dict.fromkeys(n for n in names if n and n.lower() not in ignored))


def paths(text: str) -> list[str]:
    """Return what looks like files or folders in a text, in order."""
    found = [m[0].rstrip(".") for m in PATH.finditer(text)] + [m[0] for m in KNOWN_FILES.finditer(text)]
    whole = [p for p in found if not any(p != other and p in other for other in found)]
    return list(dict.fromkeys(whole))


def unquoted(text: str) -> str:
    """Return what stands between a pair of quotation marks; other text as it is."""
    text = text.strip()
    if fenced := re.fullmatch(r"```\w*\n(.*?)\n?```", text, re.DOTALL):
        return fenced[1]
    return text[1:-1] if re.fullmatch(QUOTE, text, re.DOTALL) else text


def _russian(word: str) -> str:
    fitting = [stem for stem in IN_CODE if word.startswith(stem)]
    stem = word[: max(4, len(word) - 2)] if len(word) > 4 else word
    own = re.escape(stem)
    return f"{IN_CODE[max(fitting, key=len)]}|{own}" if fitting else own


def _english(word: str) -> str:
    stem = ENDINGS.sub("", word)
    return re.escape(stem if len(stem) >= 3 else word)
