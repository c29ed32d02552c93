"""Texts as a model reads them: numbers of tokens, in batches of like length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from artel.storage.knowledge.embedders.bert import TOKENIZER, Bert, UnusableModel

CHARS_PER_TOKEN = (
    64  # what lies beyond this many a token is not even looked at: a file of 10 MB is cut at once
)
BATCH_TOKENS, BATCH_TEXTS = 256, 32
"""One long text or many short ones: of 240 tokens, eight at a time were a quarter slower than one."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some texts of a list: their rows in it, and what the graph takes."""

    rows: list[int]
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


class Reader:
    """Cuts texts into tokens; safe to call from several threads."""

    def __init__(self, bert: Bert) -> None:
        """Load the folder's tokens.

        Raises:
            UnusableModel: the file is broken.
        """
        self._bert = bert
        try:
            self._tokenizer = Tokenizer.from_file(str(bert.folder / TOKENIZER))
        except Exception as error:  # the library raises nothing narrower
            raise UnusableModel(f"{bert.folder / TOKENIZER} is broken: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(bert.max_tokens)

    def tokens(self, text: str, prefix: str = "") -> list[int]:
        """Return the numbers of a text's tokens, marks at both ends, cut at the model's longest input."""
        # One text a call: a list of several would be shared out to as many threads as there are cores.
        cut = (prefix + text)[: self._bert.max_tokens * CHARS_PER_TOKEN]
        return list(self._tokenizer.encode_batch_fast([cut])[0].ids)

    def batches(self, texts: Sequence[str], prefix: str = "") -> Iterator[Batch]:
        """Return the texts in batches, longest first, each padded to its own longest."""
        found = [self.tokens(text, prefix) for text in texts]
        order = sorted(range(len(found)), key=lambda row: -len(found[row]))
        while order:
            most = max(1, min(BATCH_TEXTS, BATCH_TOKENS // max(len(found[order[0]]), 1)))
            yield self._padded(order[:most], found)
            order = order[most:]

    def _padded(self, rows: list[int], found: list[list[int]]) -> Batch:
        shape = len(rows), max(len(found[rows[0]]), 1)
        ids, mask = np.full(shape, self._bert.pad_id, np.int64), np.zeros(shape, np.int64)
        for at, row in enumerate(rows):
            ids[at, : len(found[row])] = found[row]
            mask[at, : len(found[row])] = 1
        return Batch(rows, ids, mask)
