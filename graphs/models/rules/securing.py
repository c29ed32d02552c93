"""A look for secrets and calls that run what they are given, with the scanners of the gate."""

from typing import Any

from artel.graphs.models.rules import files
from artel.graphs.models.rules.checks import ORDER, Found, weaknesses
from artel.graphs.models.rules.files import File
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import bullets, not_done
from artel.graphs.models.rules.turn import Call, Rule
from artel.graphs.models.rules.words import paths

MAX_FILES = 40  # that are read
MAX_FINDINGS = 60

SUSPECTS = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|credential)s?\b.{0,40}[=:].{0,3}[\"'`\w]"
    r"|-----BEGIN|\bAKIA|\bgh[pousr]_|\bglpat-|\bxox[abp]-|\bsk-|://[^\s/:@]+:[^\s/@]+@"
)
CALLS = (
    r"\b(?:eval|exec|compile|__import__|execSync|Function|system|popen|getoutput|mktemp|create_subprocess_shell)\s*\("
    r"|shell\s*=\s*True|\b(?:pickle|marshal|dill|joblib|jsonpickle)\b|yaml\.(?:load|unsafe_load|full_load)"
    r"|innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|child_process"
)
LOOSE = {
    r"verify\s*=\s*False|rejectUnauthorized\s*:\s*false|_create_unverified_context": (
        "certificates are not checked",
        "сертификаты не проверяются",
    ),
    r"^\s*DEBUG\s*=\s*True": ("debugging is on", "включена отладка"),
    r"\b(?:md5|sha1)\s*\(": (
        "a weak digest; no protection of passwords",
        "слабый хеш; для паролей не годится",
    ),
    r"[\"'](?:0\.0\.0\.0|::)[\"']": ("listens on every address", "слушает на всех адресах"),
    r"execute\s*\(\s*(?:f[\"']|[\"'][^\"']*[\"']\s*(?:%|\+))": (
        "a query is put together from text",
        "запрос собирается из текста",
    ),
}


def look(request: str, say: Phrases) -> Rule:
    """Search the folder, or the places that a request names, and judge each suspect as the gate would."""
    where = "."
    if named := paths(request):
        found = yield from files.find(named[0])
        where = found[0] if found else named[0]
    searches: list[dict[str, Any]] = [{"pattern": SUSPECTS, "ignore_case": True}, {"pattern": CALLS}]
    steps = yield [
        *(Call("grep", {**one, "path": where, "output_mode": "count"}) for one in searches),
        *(Call("grep", {"pattern": one, "path": where, "output_mode": "content"}) for one in LOOSE),
    ]
    if not steps[0].ok and not any(step.ok for step in steps):
        return not_done(steps[0], f"`{where}`", say)
    suspects = sorted({path for step in steps[:2] for path in files.counts(step)})
    looked = suspects[:MAX_FILES]
    reads = (yield [Call("read_file", {"file_path": path}) for path in looked]) if looked else []
    findings: list[Found] = []
    unread = [f"`{path}`" for path in suspects[MAX_FILES:]]
    for path, step in zip(looked, reads, strict=True):
        if files.is_cut(step):
            unread.append(f"`{path}`: " + say("only its beginning was read", "прочитано только начало"))
        if step.ok:
            findings += weaknesses(path, File(path, [line for _, line in files.numbered(step)]).text, say)
        else:
            unread.append(f"`{path}`: {step.text.strip()[:120]}")
    for says, step in zip(LOOSE.values(), steps[2:], strict=True):
        findings += [Found("minor", path, line, say(*says)) for path, line, _ in files.hits(step)]
    findings.sort(key=lambda one: (ORDER.index(one.severity), one.path, one.line))
    return _told(where, len(looked), findings, unread, say)


def _told(where: str, looked: int, findings: list[Found], unread: list[str], say: Phrases) -> str:
    words = {"blocker": "high", "major": "medium", "minor": "low"}
    lines = [one.told().replace(f"**{one.severity}**", f"**{words[one.severity]}**", 1) for one in findings]
    none = say("The scanners found nothing.", "Сканеры ничего не нашли.")
    return "\n\n".join(
        [
            say(
                f"I searched `{where}` and read {looked} suspect files with the scanners of the quality "
                "gate. Each "
                "finding is a suspicion: read the line before you act.",
                f"Я обыскал `{where}` и прочитал подозрительных файлов: {looked}, сканерами шлюза "
                "качества. Каждая "
                "находка — подозрение: прочтите строку, прежде чем действовать.",
            ),
            say("## Findings", "## Находки"),
            bullets(lines, MAX_FINDINGS) if lines else none,
            say("## Not checked", "## Не проверено"),
            bullets(
                [
                    say(
                        "who may do what, and where input comes in",
                        "кому что разрешено и откуда приходит ввод",
                    ),
                    say("dependencies and the history of git", "зависимости и история git"),
                    say(
                        "files that the policy keeps from agents, such as `.env`",
                        "файлы, закрытые политикой от агентов, такие как `.env`",
                    ),
                    *unread[:20],
                ]
            ),
        ]
    )
