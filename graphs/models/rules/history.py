"""What git tells: what has changed, how, and what was committed before."""

from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import block, not_done
from artel.graphs.models.rules.turn import Call, Rule

DIFF_LINES = 200


def status(say: Phrases) -> Rule:
    """Tell what is not as it was committed."""
    (step,) = yield [Call("git_status", {})]
    if not step.ok:
        return not_done(step, "git status", say)
    entries = step.text.split("\n")[1:]
    clean = entries == ["Nothing to commit."]
    count = say(f"Paths that differ: {len(entries)}", f"Отличается путей: {len(entries)}")
    nothing = say("Nothing differs from the last commit.", "Отличий от последнего коммита нет.")
    return "\n\n".join([nothing if clean else f"{count}:", block(step.text)])


def diff(path: str, say: Phrases) -> Rule:
    """Show how files differ from what was committed or staged."""
    (step,) = yield [Call("git_diff", {"path": path} if path else {})]
    if not step.ok:
        return not_done(step, "git diff", say)
    return block(step.text, "diff", first=DIFF_LINES)


def log(path: str, limit: int, say: Phrases) -> Rule:
    """Show the last commits."""
    (step,) = yield [Call("git_log", {**({"path": path} if path else {}), "limit": limit})]
    if not step.ok:
        return not_done(step, "git log", say)
    return "\n\n".join(
        [say("The last commits, newest first:", "Последние коммиты, новые сверху:"), block(step.text)]
    )


def commit(message: str, say: Phrases) -> Rule:
    """Commit all that has changed, with the words that a person gave."""
    (step,) = yield [Call("git_commit", {"message": message})]
    if not step.ok:
        return not_done(step, f"git commit «{message}»", say)
    return say.done.format(what=step.text)
