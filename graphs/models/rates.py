"""Limits on how often a model is asked: requests and tokens a minute, counted in this process."""

from asyncio import sleep
from collections.abc import Sequence
from time import monotonic

from langchain_core.messages import BaseMessage

from artel.graphs.models.settings import Rate

MINUTE_S = 60.0
CHARS = 4  # of a token, about: before an answer nobody knows better


class TooManyAsked(Exception):
    """The wait would be longer than anybody waits; the message says how long."""


class Bucket:
    """What may be taken in a minute, which flows back evenly.

    Who takes more than there is waits for what they owe, in the order in which they came.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._left = float(most)
        self._at = monotonic()

    @property
    def left(self) -> float:
        """How much may be taken now; below zero it is owed."""
        now = monotonic()
        self._left = min(self.most, self._left + (now - self._at) * self.most / MINUTE_S)
        self._at = now
        return self._left

    def wait_s(self, amount: float) -> float:
        """Return the seconds until so much may be taken; more than fits counts as all that fits."""
        return max(0.0, (min(amount, self.most) - self.left) * MINUTE_S / self.most)

    def take(self, amount: float) -> None:
        """Take it, owing what is not there; below zero it is given back."""
        self._left = min(self.most, self.left - amount)


class RateLimit:
    """The limits of one model."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._requests = Bucket(rate.requests) if rate.requests else None
        self._tokens = Bucket(rate.tokens) if rate.tokens else None

    @property
    def left(self) -> dict[str, int]:
        """What may be asked now, by the name of the limit."""
        buckets = {"requests": self._requests, "tokens": self._tokens}
        return {name: max(0, int(one.left)) for name, one in buckets.items() if one}

    async def pass_(self, tokens: int, longest_s: float) -> None:
        """Take one request and so many tokens; wait for them if need be. Nothing is held meanwhile.

        Raises:
            TooManyAsked: it would take longer than `longest_s`; nothing was taken.
        """
        waits = [bucket.wait_s(amount) for bucket, amount in self._wanted(tokens)]
        wait_s = max(waits, default=0.0)
        if wait_s > longest_s:
            raise TooManyAsked(f"its limit of {self._words()} a minute is used up for {wait_s:.0f} s more")
        for bucket, amount in self._wanted(tokens):
            bucket.take(amount)
        try:
            await sleep(wait_s)
        except BaseException:  # nobody asks after all
            for bucket, amount in self._wanted(tokens):
                bucket.take(-amount)
            raise

    def used(self, tokens: int) -> None:
        """Take so many tokens more, for a longer answer than thought; below zero give them back."""
        if self._tokens:
            self._tokens.take(tokens)

    def _wanted(self, tokens: int) -> list[tuple[Bucket, float]]:
        wanted = [(self._requests, 1.0), (self._tokens, float(tokens))]
        return [(bucket, amount) for bucket, amount in wanted if bucket]

    def _words(self) -> str:
        named = {"requests": self.rate.requests, "tokens": self.rate.tokens}
        return " and ".join(f"{most} {name}" for name, most in named.items() if most)


def estimated(messages: Sequence[BaseMessage]) -> int:
    """Return about how many tokens a model is given; pictures count as nothing."""
    return (
        sum(len(message.text) + len(str(getattr(message, "tool_calls", ""))) for message in messages) // CHARS
    )
