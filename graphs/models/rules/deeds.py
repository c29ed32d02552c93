"""Deeds that a request spells out: edits, files, commands, git; one after another, until one is not done."""

import re

from artel.graphs.models.rules import commands, history, renaming
from artel.graphs.models.rules.editing import make
from artel.graphs.models.rules.edits import parts, understood
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import block, lacks, not_done
from artel.graphs.models.rules.turn import Call, Rule, Undone
from artel.graphs.models.rules.words import QUOTE, paths, unquoted
from artel.graphs.routing import bare

PATH = rf"(?P<path>{QUOTE}|[\w./~-]*\w)"
FILE_WORD = r"(?:the\s+)?(?:file\s+|файл\w*\s+)"
END = r"[\s.!?]*"
SHOW = r"(?:show(?:\s+me)?\s+|print\s+|give\s+me\s+|покажи\w*\s+|выведи\s+|дай\s+)?(?:the\s+)?"
RUN = r"(?:run|execute|launch|start|запусти\w*|прогони\w*|выполни\w*)"
DELETE = r"(?:delete|remove|erase|удал\w+|сотр\w+|убер\w+)"
MOVE = r"(?:move|rename|перемест\w+|перенес\w+|переимен\w+)"
NAME = r"[A-Za-z_]\w*"

FORMS: list[tuple[str, str]] = [
    ("tests", rf"{RUN}\s+(?:(?:all|the|our|my|unit|все|юнит|мои|наши)[\s-]+)*(?:tests?|test\s+suite|тест\w*)"
              rf"(?:\s+(?:(?:of|in|from|for|в|из|для|файла)\s+)*{PATH})?{END}"),
    ("tests", r"(?:do|did|are|is)\s+(?:(?:all|the|our)\s+)*tests?\s+(?:pass\w*|green|ok|работ\w+)"
              rf"|(?:проходят\s+ли\s+(?:все\s+)?тесты|(?:все\s+)?тесты\s+(?:проходят|зел[её]ные)){END}"),
    ("run", rf"{RUN}\s+(?:the\s+)?(?:command\s+|команд\w+\s+)?:?\s*(?P<what>{QUOTE}){END}"),
    ("status", rf"{SHOW}git\s+status{END}|{SHOW}(?:статус|состояние)\s+(?:git\w*|гита?|репозитория){END}"
               r"|what(?:'s|\s+is|\s+has|\s+have\s+i)?\s+(?:been\s+)?(?:changed|uncommitted|modified)"
               rf"(?:\s+(?:here|since\s+the\s+last\s+commit|in\s+git))?{END}"
               rf"|что\s+(?:здесь\s+|тут\s+)?(?:изменилось|изменено|поменялось|не\s+закоммичено){END}"),
    ("diff", rf"{SHOW}(?:current\s+|uncommitted\s+|текущ\w+\s+)?(?:git\s+)?"
             r"(?:diff|дифф?|changes|изменени[яй])"
             rf"(?:\s+(?:(?:of|in|for|в|файла|файле)\s+)+{PATH})?{END}"),
    ("log", rf"{SHOW}(?:git\s+)?(?:log|history|истори[юя](?:\s+(?:git|коммитов|изменений))?)"
            rf"(?:\s+(?:(?:of|in|for|в|файла)\s+)+{PATH})?{END}"),
    ("log", rf"{SHOW}(?:last|latest|recent|последни[ей])\s+(?:(?P<many>\d+)\s+)?(?:commits?|коммит\w*)"
            rf"(?:\s+(?:(?:of|in|for|в|файла)\s+)+{PATH})?{END}"),
    ("commit", r"(?:git\s+)?(?:commit|закоммит\w+|сделай\s+коммит)\s+(?:(?:everything|all|it|this|the|my"
               r"|changes|вс[её]|изменения|это)\s+)*(?:(?:with|с|и)\s+)?(?:(?:the\s+)?message|сообщением|текстом)?"
               rf"\s*:?\s*(?P<what>{QUOTE}){END}"),
    ("clock", r"(?:what(?:'s|\s+is)?\s+(?:the\s+)?(?:time|date)(?:\s+is\s+it)?|what\s+day\s+is\s+(?:it|today)"
              r"|котор\w+\s+час|сколько\s+(?:сейчас\s+)?времени|как(?:ое|ой)\s+(?:сегодня|сейчас)\s+(?:число|день|дата))"
              rf"(?:\s+(?:now|today|сейчас|today))?{END}"),
    ("remember", r"(?:remember|запомни\w*)\s*[,:]?\s*(?:that\s+|что\s+)?(?P<what>.+)"),
    ("fetch", r"(?:fetch|download|open|read|show|get|прочита\w+|прочти|открой|загрузи|покажи)\s+"
              r"(?:the\s+)?(?:page\s+|страниц\w+\s+)?(?P<what>https?://\S+?)" + END),
    ("delete", rf"{DELETE}\s+{FILE_WORD}{PATH}{END}|{DELETE}\s+(?P<what>[\w./-]*\w\.\w{{1,9}}){END}"),
    ("move", rf"{MOVE}\s+{FILE_WORD}{PATH}\s+(?:to|into|as|в|на)\s+(?:file\s+|файл\s+)?"
             rf"(?P<to>{QUOTE}|[\w./-]+\w){END}"),
    ("move", rf"{MOVE}\s+(?P<path>[\w./-]*\w\.\w{{1,9}})\s+(?:to|into|as|в|на)\s+"
             rf"(?P<to>{QUOTE}|[\w./-]*\w\.\w{{1,9}}){END}"),
    ("rename", r"(?:rename|переимен\w+)\s+(?:(?:the|function|class|method|variable|symbol|constant|name"
               r"|функци\w+|класс\w*|метод\w*|переменн\w+|символ\w*|констант\w+|имя)\s+)*"
               rf"(?P<what>{QUOTE}|{NAME}(?:\(\))?)\s+(?:to|into|as|в|на)\s+(?P<to>{QUOTE}|{NAME}(?:\(\))?)"
               r"(?:\s+(?:everywhere|везде|всюду|(?:in|across|во?|по)\s+(?:the\s+)?(?:whole\s+|entire\s+|all\s+"
               r"|every\s+|вс[её]му?\s+|всех\s+)?(?:project|code\w*|files?|repo\w*|проект\w*|код\w*|файл\w*)))*"
               + END),
]  # fmt: skip
FITS = [(kind, re.compile(form, re.IGNORECASE | re.DOTALL)) for kind, form in FORMS]
NEEDS = {
    "tests": "execute",
    "run": "execute",
    "status": "git_status",
    "diff": "git_diff",
    "log": "git_log",
    "commit": "git_commit",
    "clock": "clock",
    "remember": "remember",
    "fetch": "web_fetch",
    "delete": "delete_file",
    "move": "move_file",
    "rename": "edit_file",
}
MAX_DEEDS = 8
LOG = 10  # commits that are shown unless somebody says how many
MAX_LOG = 200


def spelled_out(request: str, say: Phrases, tools: frozenset[str], *, quoted: bool = False) -> Rule | None:
    """Return the rule that does all that a request spells out; None: some of it no rule understands.

    `quoted`: text that is put into a file must stand in quotation marks, for `write tests for a.py in b.py`
    asks for more than these words.
    """
    deeds = [
        _deed(bare(part).strip(), say, tools, quoted=quoted)
        for part in parts(request.replace("’", "'"))
        if part.strip()
    ]
    known = [deed for deed in deeds if deed is not None]
    if not known or len(known) < len(deeds) or len(deeds) > MAX_DEEDS:
        return None
    return _in_order(known)


def _in_order(deeds: list[Rule]) -> Rule:
    told: list[str] = []
    for deed in deeds:
        words = yield from deed
        told.append(words)
        if isinstance(words, Undone):
            return Undone("\n\n".join(told))
    return "\n\n".join(told)


def _deed(said: str, say: Phrases, tools: frozenset[str], *, quoted: bool) -> Rule | None:
    edits = understood(said)
    if edits and not (quoted and any(edit.new and edit.new not in _quotations(said) for edit in edits)):
        return make(edits, say, tools)
    for kind, form in FITS:
        if found := form.fullmatch(said):
            groups = {key: unquoted(value or "").rstrip(".,;:!") for key, value in found.groupdict().items()}
            if kind == "rename" and (
                paths(groups["what"]) or not re.fullmatch(rf"{NAME}(\(\))?", groups["to"])
            ):
                continue
            return _rule(kind, groups, say) if NEEDS[kind] in tools else _lacking(NEEDS[kind], say)
    return None


def _quotations(said: str) -> list[str]:
    return [unquoted(found) for found in re.findall(QUOTE, said)]


def _rule(kind: str, said: dict[str, str], say: Phrases) -> Rule:
    path, what, to = said.get("path", ""), said.get("what", ""), said.get("to", "")
    match kind:
        case "tests":
            return commands.tests(path, say)
        case "run":
            return commands.run(what, say)
        case "status":
            return history.status(say)
        case "diff":
            return history.diff(path, say)
        case "log":
            return history.log(path, min(int(said.get("many") or LOG), MAX_LOG) or LOG, say)
        case "commit":
            return history.commit(what, say)
        case "delete":
            return renaming.delete(path or what, say)
        case "move":
            return renaming.move(path, to, say)
        case "rename":
            return renaming.rename(what.removesuffix("()"), to.removesuffix("()"), say)
        case "remember":
            return _shown(Call("remember", {"fact": what[:500], "scope": "project"}), say)
        case "fetch":
            return _shown(Call("web_fetch", {"url": what}), say)
        case _:
            return _shown(Call("clock", {}), say)


def _shown(call: Call, say: Phrases) -> Rule:
    (step,) = yield [call]
    return block(step.text) if step.ok else not_done(step, f"`{call.name}`", say)


def _lacking(tool: str, say: Phrases) -> Rule:
    return lacks(tool, say)
    yield []  # a generator that calls nothing
