"""What a call of a model costs besides the model: all that our coder does around it, in process.

    python evals/bench/overhead.py

A thread of 100 messages, reads of files in seven folders, AGENTS.md in the workspace; the model is a script.
A turn is two calls and one tool. CPU time of the process: what else runs on the machine does less to it; and
the goal is 25 ms a call at p95. Compare figures of one run only.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from artel.graphs.agent_loop import loop
from artel.graphs.context import Handles, use
from artel.graphs.conventions import SETTLED_S
from artel.graphs.limits import SPENT, Spent
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.scripted import scripted
from artel.graphs.roles import Role, built_in
from artel.graphs.tracing import spare_threads

MESSAGES, FOLDERS, TURNS, WARM = 100, 7, 40, 5
CALLS = 2  # of the model in a turn
GOAL_MS = 25
TEN = ("ls", "read_file", "glob", "grep", "edit_file", "write_file", "execute", "question", "recall", "clock")


def main() -> None:
    """Print a table: median and p95 with ten tools, and with all that the coder has."""
    spare_threads()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "AGENTS.md").write_text("Indent by four.\n" * 30)
        for number in range(FOLDERS):
            (root / f"src/part{number}").mkdir(parents=True)
        time.sleep(SETTLED_S)
        coder = built_in()["coder"]
        print(f"{'ms of CPU a call':32}{'median':>8}{'p95':>8}{'goal':>6}")
        for role in (coder.model_copy(update={"tools": TEN}), coder):
            took = asyncio.run(measured(role, root))
            median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
            print(f"{f'{len(role.tools)} tools, {MESSAGES} messages':32}{median:8.1f}{p95:8.1f}{GOAL_MS:6}")


async def measured(role: Role, root: Path) -> list[float]:
    """Return the milliseconds that a call took in each turn."""
    graph, thread = loop(role), read_through()
    look = {"tool_calls": [{"name": "read_file", "args": {"file_path": "AGENTS.md"}}]}
    took = []
    for _ in range(WARM + TURNS):
        model = scripted(*[""] * (MESSAGES // 2), look, "done")

        class One(Models):
            def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
                link = Link(spec="vllm:scripted", build=lambda: model, failures=tuple)  # noqa: B023 - used here
                return Chain(links=(link,), timeout_s=5, silence_s=5)

        given = Handles(models=One(ModelSettings(model="vllm:x")), roots=(root,), default_workspace=root)
        with use(given):
            began = time.process_time()
            end = await graph.ainvoke({"messages": thread})
            took.append((time.process_time() - began) * 1000 / CALLS)
        assert end["messages"][-1].content == "done"
    return took[WARM:]


def read_through() -> list[AnyMessage]:
    """Return a thread in which one file after another was read."""
    thread: list[AnyMessage] = [HumanMessage("Look through all of it.", id="h")]
    for at in range(MESSAGES // 2):
        path = f"src/part{at % FOLDERS}/module{at % 9}.py"
        call = {"name": "read_file", "args": {"file_path": path, "offset": at}, "id": f"c{at}"}
        used = {SPENT: Spent(steps=at + 1, tokens=500 * at).noted}  # as each answer of a run carries it
        thread.append(AIMessage("", id=f"a{at}", tool_calls=[call], response_metadata=used))
        thread.append(ToolMessage(f"line {at}\n" * 20, tool_call_id=f"c{at}", name="read_file", id=f"t{at}"))
    return thread


if __name__ == "__main__":
    main()
