"""Handing in a step of a plan: what rules did of it, as the tools told."""

import re
from collections.abc import Sequence

from artel.graphs.models.rules.turn import Call, Steps, Undone

SUBMIT = "submit_result"
CHANGING = ("edit_file", "multi_edit", "write_file", "delete_file", "move_file")
MAX_SUMMARY = 600  # characters
MAX_EVIDENCE = 20


BLOCK = re.compile(r"^(`{3,})\w*\n.*?^\1$", re.MULTILINE | re.DOTALL)


def submission(words: str, batches: Sequence[Steps]) -> Call:
    """Return the call that hands a step in: failed if something of it was not done."""
    steps = [step for batch in batches for step in batch]
    changed = [
        str(step.call.args.get("dst") or step.call.args["file_path"])
        for step in steps
        if step.ok and step.call.name in CHANGING
    ]
    ran = [step for step in steps if step.call.name == "execute"]
    evidence = [
        f"`{step.call.args['command']}`: {step.text.splitlines()[0] if step.text else step.outcome}"
        for step in ran
    ]
    return Call(
        SUBMIT,
        {
            "status": "failed" if isinstance(words, Undone) else "completed",
            "summary": _short(words),
            "files_changed": list(dict.fromkeys(changed)),
            "evidence": evidence[:MAX_EVIDENCE],
        },
    )


def _short(words: str) -> str:
    """Return words as one paragraph without their headings and blocks of code, which a table has no "
    "place for."""
    lines = [line.strip() for line in BLOCK.sub("", words).split("\n") if not line.startswith("#")]
    said = " ".join(line for line in lines if line)
    return said[:MAX_SUMMARY] or words.strip()[:MAX_SUMMARY]
