"""A chapter in a model's words, where there is a model that has some."""

from asyncio import timeout, to_thread
from collections.abc import Sequence

from langchain_core.messages import HumanMessage

from artel import prompts
from artel.graphs.compaction.chapters import transcript
from artel.graphs.compaction.counting import text_tokens
from artel.graphs.compaction.cutting import shortened
from artel.graphs.compaction.pairing import Group
from artel.graphs.models.fallback import Chain
from artel.graphs.models.settings import NoModelAnswered
from artel.graphs.models.windows import BOUNDLESS

WORDS = 250
SHARE = 0.5  # of the limit, for what is to be summed up
LONGEST_S = 60
NOSTREAM = "nostream"  # LangGraph's tag: its tokens are nobody's answer


async def prose(model: Chain, groups: Sequence[Group], limit: int) -> str:
    """Return what a model says groups were about, in about WORDS; nothing if none answers in time."""
    if model.links[0].spec.partition(":")[0] in BOUNDLESS:
        return ""
    question = await to_thread(_question, groups, limit)
    try:
        async with timeout(LONGEST_S):
            answer = await model.ainvoke([HumanMessage(question)], {"tags": [NOSTREAM]})
    except (NoModelAnswered, TimeoutError):
        return ""
    return shortened(answer.text.strip(), 3 * WORDS)


def _question(groups: Sequence[Group], limit: int) -> str:
    frame = text_tokens(prompts.render("shared/summary", words=WORDS, transcript=""))
    told = transcript(groups, int(SHARE * limit) - frame)
    return prompts.render("shared/summary", words=WORDS, transcript=told)
