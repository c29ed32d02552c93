"""What a text or a question is: its language, and whether it is prose, code or a name of code."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["prose", "code", "identifier"]
MOST_READ = 2_000  # characters from the beginning: enough to tell, and as fast for a book as for a page
LONGEST_NAME = 200  # characters


@dataclass(frozen=True, slots=True)
class Told:
    """What a text is, as far as can be told cheaply."""

    language: str
    """ISO 639-1; empty where there is no letter. Latin letters that show no other language are `en`."""
    kind: Kind


# Words that show a language, and say little of what a text is about; some show several.
COMMON: Mapping[str, str] = {
    "en": "the of and to in is that for it with as was are by this be from or an what how which who"
    " when where why does did do can not has have were their if than then there into between"
    " on at you use",
    "de": "der die das und ist nicht ein eine den dem des mit von zu auf für wie was wer wo warum"
    " sich auch bei werden wird sind aus nach oder im",
    "fr": "le la les des et est un une du dans pour que qui sur avec pas par plus comment quel"
    " quelle pourquoi où sont au aux ce cette il elle ou",
    "es": "el la los las de es un una en que por para con del se cómo qué cuál dónde cuándo no su al"
    " lo como más son está",
    "it": "il lo la gli le di è un una che per con del della nel come cosa quale dove quando perché"
    " non sono dei si al",
    "pt": "os as de um uma que para com do da em na no não como qual onde quando por se dos das são mais",
    "nl": "de het een en van is niet dat op te voor met zijn hoe wat wie waar waarom aan ook bij"
    " worden wordt naar",
    "pl": "na nie do się jest to że jak co gdzie kiedy dlaczego dla od po przez są oraz który",
    "sv": "och att det är en ett som på för med av inte den till hur vad vem var varför har från om eller",
    "tr": "ve bir bu için ile da de ne nasıl nerede neden mı mi olarak daha çok gibi olan değil",
    "ru": "и в не на что с по как это из для от при или к за же то ли бы был была были какой какая"
    " какие каков кто где когда почему зачем сколько который до его их чем чём",
    "uk": "не на що з як це для від при або до за та чи був була були який яка які хто де коли чому скільки",
    "bg": "на че за как това от при или да се са ще който каква какво къде кога защо със",
}
_LANGUAGES: dict[str, list[str]] = defaultdict(list)
for _code, _listed in COMMON.items():
    for _word in _listed.split():
        _LANGUAGES[_word].append(_code)
_CYRILLIC_LANGUAGES = frozenset(("ru", "uk", "bg"))

_WORDS = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile(r"`[^`]*`|«[^»]*»|\"[^\"]*\"|“[^”]*”")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]+")
_SCRIPTS = (  # the first of which there is enough
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("he", re.compile(r"[\u05d0-\u05ea]")),
    ("fa", re.compile(r"[\u067e\u0686\u0698\u06a9\u06af\u06cc]")),
    ("ar", re.compile(r"[\u0620-\u06ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("bn", re.compile(r"[\u0980-\u09ff]")),
    ("ta", re.compile(r"[\u0b80-\u0bff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("ka", re.compile(r"[\u10a0-\u10ff]")),
    ("hy", re.compile(r"[\u0530-\u058f]")),
)
_CYRILLIC_SIGN = re.compile(
    r"(?P<kk>[әғқңөұүһ])|(?P<be>ў)|(?P<mk>[ѓќѕ])|(?P<sr>[ђјљњћџ])|(?P<uk>[іїєґ])|(?P<ru>[ыэё])"
)
_LATIN_SIGN = re.compile(r"(?P<de>ß)|(?P<pl>[ąęłńśźż])|(?P<tr>[ğış])|(?P<es>[ñ¿¡])|(?P<pt>[ãõ])")

_MAYBE_CODE = re.compile(r"[(){}\[\];=<>]|:\s*$|^\s*(?:import|from)\s", re.MULTILINE)
_DEFINITION = re.compile(
    r"\s*(?:@\w|(?:export |public |private |static |async |pub )*"
    r"(?:def|class|func|fn|function|impl|struct|interface|enum)\s+\w+"
    r"|#include\b|(?:import|package) [\w.]+;?\s*$|from [\w.]+ import\b|(?:const|let|var) \w+ ?="
    r"|select\b.+\bfrom\b|insert into\b|create table\b)",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_OF_CODE = re.compile(
    r"[{};]\s*$|^\s*(?:return|if|for|while|elif|else|try|except|with|raise|yield)\b.*[:({\])]\s*$|=>|->|^\s*return\b"
    r"|\w ?[-+*]?= ?[\w\"'([{]|^\s*[\w.]+\(.*\)\s*$|^\s*(?:import|from)\s"
)
_NAME = re.compile(
    r"`?(?:[A-Za-z_]\w*(?:(?:\.|::|->|#)[A-Za-z_]\w*)+(?:\(\))?"  # asyncio.gather, std::vector
    r"|\w*_\w+(?:\(\))?|\w+\(\)"  # parse_http_date, main()
    r"|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*"  # parseHttpDate, HttpServer
    r"|(?:~|\.{1,2})?/?(?:[\w.@-]+/)+[\w.@-]*|[\w-]+\.[a-z]{1,4}|/[\w.-]+"  # src/app.py, README.md, /etc
    r"|[A-Z]{1,6}-?\d{2,}|v?\d+(?:\.\d+)+[\w.-]*|[a-z][\w-]*==[\d.]+"  # E0308, CVE-2024, 3.11.7, numpy==2.1
    r"|--?[a-z][\w-]*|0x[0-9a-fA-F]+|(?=[a-f]*\d)[0-9a-f]{7,40})`?"  # --quiet, a commit
)
_NUMBERED = re.compile(r"[A-Z]{2,6}[ -]\d+(?:[.:-]\d+)*")  # RFC 7231, ISO 8601


def tell(text: str) -> Told:
    """Return what a text is, by its first MOST_READ characters.

    A question in Russian about `asyncio.gather` is Russian prose: names of code say nothing of the language.

    >>> tell("как работает asyncio.gather")
    Told(language='ru', kind='prose')
    >>> tell("RFC 7231")
    Told(language='en', kind='identifier')
    """
    text = text[:MOST_READ].strip()
    words = _WORDS.findall(text.lower())
    votes = _votes(words)
    kind = _kind(text, votes)
    if kind == "code" and text.isascii():
        return Told("en", kind)  # `os`, `as` and `de` are names here
    return Told(_language_of(text, words, votes), kind)


def _kind(text: str, votes: Mapping[str, int]) -> Kind:
    if not text:
        return "prose"
    if len(text) <= LONGEST_NAME and (_NUMBERED.fullmatch(text) or all(map(_NAME.fullmatch, text.split()))):
        return "identifier"
    if not _MAYBE_CODE.search(text):
        return "prose"
    if _DEFINITION.match(text):
        return "code"
    lines = [line for line in text.splitlines() if line.strip()]
    of_code = sum(1 for line in lines if _LINE_OF_CODE.search(line))
    if len(lines) == 1:
        return "code" if of_code and max(votes.values(), default=0) < 2 else "prose"
    return "code" if of_code * 5 >= len(lines) * 2 else "prose"


def _votes(words: list[str]) -> dict[str, int]:
    votes: dict[str, int] = {}
    for languages in filter(None, map(_LANGUAGES.get, words)):
        for language in languages:
            votes[language] = votes.get(language, 0) + 1
    return votes


def _language_of(text: str, words: list[str], votes: Mapping[str, int]) -> str:
    if not words:
        return ""
    if text.isascii():
        return _latin(votes, {})
    if _CYRILLIC.search(text):
        own = _WORDS.findall(_QUOTED.sub(" ", text.lower())) if _QUOTED.search(text) else []
        if found := _cyrillic(own or words, _votes(own) if own else votes):
            return found
    letters = sum(map(len, words))
    for language, script in _SCRIPTS:
        if len(script.findall(text)) * 8 >= letters:
            return language
    return _latin(votes, _signs(_LATIN_SIGN, text.lower()))


def _cyrillic(words: list[str], votes: Mapping[str, int]) -> str:
    """The language of Cyrillic letters, or nothing when they stand in a text of another script."""
    own = "".join(filter(_CYRILLIC.match, words))
    here = max(votes.get(language, 0) for language in _CYRILLIC_LANGUAGES)
    there = max(
        (count for language, count in votes.items() if language not in _CYRILLIC_LANGUAGES), default=0
    )
    if here * 3 < there or (not here and len(own) * 6 < sum(map(len, words))):
        return ""
    signs = _signs(_CYRILLIC_SIGN, own)
    if signs and max(signs.values()) * 50 >= len(own):
        return max(signs, key=signs.__getitem__)
    return "bg" if votes.get("bg", 0) > votes.get("ru", 0) + 1 else "ru"


def _latin(votes: Mapping[str, int], signs: Mapping[str, int]) -> str:
    """The language that shows twice or more, and more often than English does."""
    counts = {
        code: votes.get(code, 0) + 2 * signs.get(code, 0)
        for code in {*votes, *signs}
        if code not in _CYRILLIC_LANGUAGES
    }
    best = max(counts, key=lambda code: (counts[code], code == "en", code), default="en")
    return best if counts.get(best, 0) >= 2 else "en"


def _signs(pattern: re.Pattern[str], text: str) -> Mapping[str, int]:
    return Counter(sign.lastgroup or "" for sign in pattern.finditer(text))
