"""What a model thinks is no part of what it says: it is kept apart, and sent to no provider again."""

from langchain_core.messages import BaseMessage

KEY = "reasoning_content"
"""In the `additional_kwargs` of a message, which no client of ours sends back."""

TAGS = {"<think>": "</think>", "<thinking>": "</thinking>", "[THINK]": "[/THINK]"}
LONGEST = max(len(end) for end in TAGS.values())


class Thoughts:
    """Splits an answer that begins with thoughts in tags; anywhere else such a tag is text."""

    def __init__(self) -> None:
        self._held = ""
        self._end: str | None = None
        self._before, self._after = True, False

    def feed(self, text: str) -> tuple[str, str]:
        """Take what came in; return what was said and what was thought, as far as it is clear."""
        if not (self._before or self._end or self._after):
            return text, ""
        self._held += text
        if self._before:
            start = self._held.lstrip()
            opened = next((tag for tag in TAGS if start.startswith(tag)), None)
            if opened is None:
                if any(tag.startswith(start) for tag in TAGS):
                    return "", ""
                self._before = False
                return self._rest(), ""
            self._before, self._end, self._held = False, TAGS[opened], start[len(opened) :]
        return self._inside()

    def end(self) -> tuple[str, str]:
        """Return what was held back, at the end of the answer."""
        thought = self._end is not None
        rest = self._rest()
        return ("", rest) if thought else ("" if self._after else rest, "")

    def _inside(self) -> tuple[str, str]:
        if self._end is not None:
            place = self._held.find(self._end)
            if place < 0:
                keep = _begun(self._held, self._end)
                thought, self._held = (
                    self._held[: len(self._held) - keep],
                    self._held[len(self._held) - keep :],
                )
                return "", thought
            thought, self._held = self._held[:place], self._held[place + len(self._end) :]
            self._end, self._after = None, True
        else:
            thought = ""
        said = self._held.lstrip()
        if not said:
            return "", thought
        self._after, self._held = False, ""
        return said, thought

    def _rest(self) -> str:
        rest, self._held = self._held, ""
        return rest


def keep(message: BaseMessage, thought: str) -> None:
    """Put what was thought where it belongs."""
    if thought:
        before = message.additional_kwargs.get(KEY) or ""
        message.additional_kwargs[KEY] = f"{before}{thought}"


def thinks(message: BaseMessage) -> bool:
    """Say whether a piece of an answer holds thoughts."""
    return bool(message.additional_kwargs.get(KEY))


def _begun(text: str, mark: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a mark."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:n])), 0)
