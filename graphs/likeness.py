"""Whether two questions ask the same, in Russian and English: by rules, so that it can be explained.

It errs on one side: to ask once too often costs a moment, to take an answer for another question costs trust.
Every word that says something must be there in both, in the same order; they may differ in inflection,
articles, courtesies and in who is spoken of. Numbers, names, prepositions and negations count as they are. A
question that points at something (“delete it?”) or hardly says anything (“go on?”) is like no other.
"""

import re
from collections.abc import Collection

LEAST = 3  # letters that are left of a word
TELLING = 2  # words that say something: “go on?” has fewer

_WORD = re.compile(r"\w+(?:[-./:@]\w+)*")
_COURTESY = re.compile(
    r"""\b(?:
        (?:do|would)\ you\ (?:want|like|prefer)(?:\ (?:me|us))?(?:\ to)?(?!\w)
    |   could\ you\ (?:please\ )?tell\ me|please|just
    |   скажите|подскажите|пожалуйста
    |   (?:вы\ )?хо(?:тите|чешь|тели\ бы)(?:\ ли)?(?:,?\ чтобы\ (?:я|мы))?
    )(?!\w)""",
    re.VERBOSE,
)
_SILENT = frozenset(
    _WORD.findall(
        "a an the which what should shall i we you me us my our your is are be do does of "
        "какой какая какое какие какую каким какого каких что ли я мы вы ты мне нам вам нужно надо следует бы"
    )
)
_POINTS = frozenset(
    _WORD.findall(
        "it this that these those them they he she here there one ones so again next go continue proceed "
        "продолжать продолжить это этот эта эту эти этого этой этих его ее их он она они оно им ему ей тут "
        "здесь там так снова дальше тот та то те ту того той тех"
    )
)
_RUSSIAN = (
    *(
        "иями",
        "ями",
        "ами",
        "ого",
        "его",
        "ому",
        "ему",
        "ыми",
        "ими",
        "ить",
        "ать",
        "ять",
        "еть",
        "уют",
        "ает",
    ),
    *(
        "ой",
        "ей",
        "ый",
        "ий",
        "ая",
        "яя",
        "ое",
        "ее",
        "ую",
        "юю",
        "ые",
        "ие",
        "ых",
        "их",
        "ым",
        "им",
        "ом",
        "ем",
    ),
    *("ам", "ям", "ах", "ях", "ов", "ев", "ию", "ия", "ии", "а", "я", "ы", "и", "у", "ю", "е", "о", "ь", "й"),
)
_ENGLISH = ("ing", "es", "ed", "s", "d", "e")
_YES_NO = frozenset({"yes", "no", "да", "нет"})
_ANY_ID = re.compile(r"(?:q|question|вопрос|ask|confirm|choice)?[\W_]*\d*", re.IGNORECASE)


def same(one: str, other: str) -> bool:
    """Return whether two questions say the same.

    >>> same("Which database should we use?", "What database do you want to use?")
    True
    >>> same("Какую базу данных использовать?", "Какая база данных нужна?")
    False
    >>> same("Move it from A to B?", "Move it to A from B?")
    False
    """
    words = _said(one)
    points = _POINTS & set(_WORD.findall(_plain(one)))
    return words == _said(other) and len(words) >= TELLING and not points


def same_by_id(one: str, other: str, options: Collection[str]) -> bool:
    """Return whether two questions that bear one telling id, and offer the same, ask the same.

    Their words may say more or less of it; they may be others where the offered answers tell what is meant.
    """
    first, second = set(_said(one)), set(_said(other))
    offered = {_plain(label) for label in options}
    telling = len(offered) > 1 and not offered <= _YES_NO
    return telling or bool(first and second and (first <= second or second <= first))


def tells(id: str) -> bool:  # noqa: A002  as the wire has it
    """Return whether an id says what a question is about; `q1` and `confirm` do not.

    >>> tells("database"), tells("q2")
    (True, False)
    """
    return _ANY_ID.fullmatch(id) is None


def same_options(one: Collection[str], other: Collection[str]) -> bool:
    """Return whether the same is offered, in any order."""
    return {_plain(label) for label in one} == {_plain(label) for label in other}


def _said(text: str) -> list[str]:
    bare = _COURTESY.sub(" ", " ".join(_plain(text).split()))
    return [_stem(word) for word in _WORD.findall(bare) if word not in _SILENT]


def _stem(word: str) -> str:
    """Return what is left of a word without its ending; names and numbers stay whole."""
    if not word.isalpha():
        return word
    endings = _RUSSIAN if re.match(r"[а-я]", word) else _ENGLISH
    found = next((end for end in endings if word.endswith(end) and len(word) - len(end) >= LEAST), "")
    return word.removesuffix(found)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split()).strip(" ?!.…:")
