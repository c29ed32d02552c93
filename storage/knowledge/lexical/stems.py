"""The stem of a word, by the script that it is written in."""

from threading import Lock

import Stemmer  # type: ignore[import-not-found,unused-ignore]  # compiled, without stubs

# ISO 639-1. Latin letters are stemmed as English and Cyrillic ones as Russian whatever the text is, so that
# a question and a text whose languages were told apart wrongly still meet.
SNOWBALL = ("da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv", "tr")

_stemmers = {code: Stemmer.Stemmer(code, 0) for code in SNOWBALL}
_lock = Lock()  # a stemmer has a state of its own: two threads in one would get each other's stems


def stem(word: str, language: str) -> str:
    """Return the stem of a word in lower case by the rules of a language of SNOWBALL.

    >>> stem("searching", "en"), stem("деревьями", "ru")
    ('search', 'дерев')
    """
    with _lock:
        found: str = _stemmers[language].stemWord(word)
    return found
