"""What a model is told that goes round in circles."""

from typing import TYPE_CHECKING

from artel.graphs import loops
from artel.prompts import render

if TYPE_CHECKING:
    from artel.graphs.assembly import Moment


async def circles(moment: "Moment") -> str:
    """Tell the model what it does again and again, and that it will not help."""
    found = loops.look(moment.state.get("messages") or [])
    if found is None:
        return ""
    tools = ", ".join(f"`{tool}`" for tool in found.tools)
    return render("guard/circle", circle=found.circle, tools=tools, times=found.times)
