"""Ask a running vLLM, through Artel's own chain, for words and for a call of a tool.

For a machine without a card: a CPU build of vLLM with a tiny random model shows that server, client and
settings understand each other; what it says means nothing.

    vllm serve hf-internal-testing/tiny-random-LlamaForCausalLM --port 8000 --max-model-len 512 \
        --dtype float32 --enable-auto-tool-choice --tool-call-parser hermes \
        --chat-template infra/vllm/plain.jinja
    python infra/vllm/check.py http://127.0.0.1:8000/v1
"""

import asyncio
import sys
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from artel.graphs.models import Models, ModelSettings


@tool
def ls(path: str) -> str:
    """List a folder."""
    return path


async def main(url: str) -> int:
    """Return 0 when both answers came to their end, streamed and counted."""
    models = Models(ModelSettings(provider="vllm", vllm_base_url=url, timeout_s=120, silence_s=120))
    chain: Any = await asyncio.to_thread(models.chat, "check")
    for name, asked in (("words", chain), ("a call", chain.bind_tools([ls]))):
        reply = await asked.bind(max_tokens=64).ainvoke([HumanMessage("List the folder `src`.")])
        calls, used = [call["name"] for call in reply.tool_calls], reply.usage_metadata
        sys.stdout.write(f"{name}: {len(reply.text)} characters, calls {calls}, tokens {used}\n")
        if used is None:
            sys.stdout.write("the server counted no tokens\n")
            return 1
    sys.stdout.write(f"{models.told()}\n")
    await models.aclose()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/v1")))
