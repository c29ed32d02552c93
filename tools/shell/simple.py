"""A line of bash as the simple commands in it, wherever in the line they stand."""

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from artel.tools.shell.words import Word, inner, word

MAX_BYTES = 16_384
MAX_SIGNS = 500  # of those that the parser tries in many ways: 8,000 took 7 s, 500 take 0.03 s
MAX_DEPTH = 60  # statements in statements

How = Literal["read", "write", "append"]

BLOCKS = {
    "program": "",
    "list": "&& || ; &",
    "pipeline": "| |&",
    "subshell": "( )",
    "compound_statement": "{ }",
    "negated_command": "!",
    "if_statement": "if then fi",
    "elif_clause": "elif then",
    "else_clause": "else",
    "while_statement": "while until",
    "do_group": "do done",
    "for_statement": "for select in",
    "case_statement": "case in esac",
    "case_item": ") | (",
    "command_substitution": "$( ) `",
    "process_substitution": "<( >( )",
    "variable_assignments": "",
}
LOOPS = ("while_statement", "for_statement")
WORDS = ("word", "number", "string", "raw_string", "ansi_c_string", "concatenation", "extglob_pattern")
MADE = ("simple_expansion", "expansion", "command_substitution", "process_substitution")
OPERATORS: dict[str, How] = {"<": "read", ">": "write", ">|": "write", "&>": "write", ">>": "append"}
OPERATORS |= {"&>>": "append", ">&": "write", "<&": "read"}
STATEMENTS = (
    *("command", "redirected_statement", "declaration_command", "variable_assignment", "test_command"),
    *("unset_command", "function_definition", "file_redirect", "comment", "ERROR", *BLOCKS),
)
DECLARES = ("export", "local", "readonly")

# Any other variable may change what a program runs: PATH, LD_PRELOAD, GIT_SSH, NODE_OPTIONS, PAGER …
HARMLESS = re.compile(
    r"CI|TZ|LANG|LC_[A-Z]+|COLUMNS|LINES|TERM|NO_COLOR|FORCE_COLOR|CLICOLOR|NODE_ENV|RUST_BACKTRACE"
    r"|CARGO_TERM_COLOR|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE|PYTHONHASHSEED|[a-z][a-z0-9]{0,15}"
)
# Words after which the shell reads on otherwise than the tree says.
RESERVED = (
    *("if", "then", "else", "elif", "fi", "for", "in", "select", "while", "until", "do", "done"),
    *("case", "esac", "function", "{", "}", "!", "[[", "]]"),
)
_JOINTS = (b"", *(bytes([sign]) for sign in b" \t\n;&|()<>"))  # where words end
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BETWEEN = re.compile(rb"(?:[ \t\n]|(?<=[ \t\n])\\\n)*")
_WITHIN = re.compile(rb"(?:[ \t]|(?<=[ \t])\\\n)*")  # of one command


class Redirect(NamedTuple):
    """A file that a command is led to or from."""

    target: Word
    how: How


class Simple(NamedTuple):
    """A simple command as it is written; one without words only opens files."""

    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    doubt: str = ""
    "Why nobody can say what it does; empty: it is known."
    repeated: bool = False
    "Whether it stands in a loop."


def simple_commands(line: str) -> list[Simple]:
    """Return the simple commands of a line in the order in which they are written.

    What cannot be understood is there with a doubt, and so is what could be found in it all the same.
    """
    if _CONTROL.search(line):
        return [Simple(doubt="control characters")]
    try:
        source = line.encode()
    except UnicodeEncodeError:
        return [Simple(doubt="half a character (a lone surrogate)")]
    if len(source) > MAX_BYTES:
        return [Simple(doubt=f"{len(source)} bytes; at most {MAX_BYTES} are read")]
    signs = sum(map(line.count, "|(["))
    if signs > MAX_SIGNS:
        return [Simple(doubt=f"{signs} pipes and brackets; at most {MAX_SIGNS} are read")]
    return _Reading(source).found


class _Reading:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.found: list[Simple] = []
        self.loops = 0
        root = _parser().parse(source).root_node
        if root.has_error:
            self._doubt("it is no shell that could be read")
        if root.type == "program":
            self._block(root, 0, (0, len(source)))
        else:
            self._below(root, 0)

    def _doubt(self, why: str) -> None:
        self.found.append(Simple(doubt=why))

    def _add(self, words: list[Word], redirects: list[Redirect], doubt: str = "") -> None:
        held = [*words, *(each.target for each in redirects)]
        doubt = doubt or next((each.doubt for each in held if each.doubt), "")
        self.found.append(Simple(tuple(words), tuple(redirects), doubt, self.loops > 0))

    def _statement(self, node: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            return self._doubt(f"more than {MAX_DEPTH} statements in each other")
        match node.type:
            case "command":
                self._command(node, [], depth)
            case "redirected_statement":
                self._redirected(node, depth)
            case "variable_assignment":
                self._assignment(node, depth)
            case "declaration_command":
                self._declaration(node, depth)
            case "file_redirect":
                words, redirects = self._redirect(node, depth)
                self._add([], redirects, "a word after a redirection" if words else "")
            case "comment":
                before = self.source[max(0, node.start_byte - 1) : node.start_byte]
                if before not in _JOINTS or before in (b"<", b">"):
                    self._doubt("a # that may be no comment")
            case kind if kind in BLOCKS:
                self._block(node, depth)
            case "function_definition":
                self._doubt("a function takes the place of a command")
                self._below(node, depth)
            case _:
                self._doubt(f"a {node.type.replace('_', ' ')} is not looked into")
                self._below(node, depth)
        return None

    def _below(self, node: Any, depth: int) -> None:
        """Look for commands in what is not understood."""
        for child in node.children:
            if child.type in STATEMENTS:
                self._statement(child, depth + 1)
            elif depth < MAX_DEPTH:
                self._below(child, depth + 1)

    def _block(self, node: Any, depth: int, span: tuple[int, int] | None = None) -> None:
        joints = BLOCKS[node.type].split()
        if not self._whole(node, span or (node.start_byte, node.end_byte)):
            self._doubt("the tree leaves a part of it out")
        if node.type == "compound_statement" and not any(child.is_named for child in node.children):
            self._doubt("braces around nothing")  # a command of that name
        looping = node.type in LOOPS
        self.loops += looping
        for child in node.children:
            if child.type in WORDS or child.type in ("simple_expansion", "expansion"):
                self._loose(child, depth)
            elif child.type == "variable_name":
                self._named(self._text(child))
            elif child.type in MADE and node.type in ("for_statement", "case_statement", "case_item"):
                self._loose(child, depth)
            elif child.is_named:
                self._statement(child, depth + 1)
            elif child.type in RESERVED and not self._apart(child):
                self._doubt(f"{child.type!r} that may be a part of a word")
            elif child.type not in (*joints, ";", ";;", ";&", ";;&", "&", "\n"):
                self._doubt(f"{child.type!r} where it is not expected")
        self.loops -= looping

    def _loose(self, node: Any, depth: int) -> None:
        """Look at a word that is no part of a command: what a loop runs over, a case."""
        read = word(node, self.source)
        if read.doubt:
            self._doubt(read.doubt)
        self._substituted(node, depth)

    def _substituted(self, node: Any, depth: int) -> None:
        for each in inner(node):
            self._statement(each, depth + 1)

    def _command(self, node: Any, redirects: list[Redirect], depth: int, more: tuple[Word, ...] = ()) -> None:
        words: list[Word] = []
        opened, doubt = list(redirects), ""
        if not self._whole(node, (node.start_byte, node.end_byte)):
            doubt = "the tree leaves a part of it out"
        end, last = -1, ""
        for child in node.children:
            at = child.children[0] if child.type == "command_name" else child
            if at.start_byte == end and not (last in WORDS and at.type in WORDS):
                doubt = doubt or "words without a space between them"
            if child.type == "variable_assignment":
                self._assignment(child, depth)
            elif child.type == "file_redirect":
                extra, one = self._redirect(child, depth)
                words, opened = [*words, *extra], [*opened, *one]
            elif at.type in WORDS or at.type in MADE:
                read = word(at, self.source)
                joins = at.start_byte == end and words  # the tree parts 'a'\b, the shell does not
                words[-1:] = [words[-1].joined(read)] if joins else [*words[-1:], read]
                self._substituted(at, depth)
            else:
                doubt = doubt or f"{self._text(child)[:40]!r} is not looked into"
                self._below(child, depth)
            end, last = child.end_byte, at.type
        self._add([*words, *more], opened, doubt)

    def _redirected(self, node: Any, depth: int) -> None:
        body = node.child_by_field_name("body")
        words: list[Word] = []
        redirects: list[Redirect] = []
        if not self._whole(node, (node.start_byte, node.end_byte)):
            self._doubt("the tree leaves a part of it out")
        for child in node.children:
            if child.type == "file_redirect":
                extra, one = self._redirect(child, depth)
                words, redirects = [*words, *extra], [*redirects, *one]
            elif child != body:
                self._doubt("text that follows in the line is not looked into")
                self._below(child, depth)
        if body is not None and body.type == "command":
            return self._command(body, redirects, depth + 1, tuple(words))
        if body is not None:
            self._statement(body, depth + 1)
        return self._add([], redirects, "a word after a redirection" if words else "")

    def _redirect(self, node: Any, depth: int) -> tuple[list[Word], list[Redirect]]:
        """Return the words of the command that follow a redirection, and where it leads."""
        operator, targets, end = "", [], -1
        apart = self._whole(node, (node.start_byte, node.end_byte))
        for child in node.children:
            apart, end = apart and child.start_byte != end, child.end_byte
            if child.type in WORDS or child.type in MADE:
                targets.append(word(child, self.source))
                self._substituted(child, depth)
            else:
                end = -1  # a target may follow its operator at once
                if child.type != "file_descriptor":
                    operator = child.type
                elif not self._text(child).isdecimal():
                    apart = False  # a part of a word
        if operator in (">&-", "<&-"):
            return targets, []
        if operator in (">&", "<&") and targets and targets[0].text.startswith("-"):
            apart = False  # bash closes, and takes the rest for a word of the command
        if operator not in OPERATORS or not targets or not apart:
            return targets, [Redirect(Word(operator, "made", f"a redirection by {operator!r}"), "write")]
        target, *words = targets
        if operator in (">&", "<&") and re.fullmatch(r"\d+-?", target.text):
            return words, []
        return words, [Redirect(target, OPERATORS[operator])]

    def _assignment(self, node: Any, depth: int) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        self._named(self._text(name) if name is not None else "")
        if value is None:
            return
        if value.type in WORDS or value.type in MADE:
            self._loose(value, depth)
        else:
            self._doubt(f"a {value.type} as a value")
            self._below(value, depth)

    def _declaration(self, node: Any, depth: int) -> None:
        if self._text(node.children[0]) not in DECLARES:
            self._doubt(f"{self._text(node.children[0])} changes what names mean")
        for child in node.children[1:]:
            if child.type == "variable_assignment":
                self._assignment(child, depth)
            elif child.type == "variable_name":
                self._named(self._text(child))
            else:
                self._doubt(f"{self._text(child)[:40]!r} changes what names mean")
                self._below(child, depth)

    def _named(self, name: str) -> None:
        if not HARMLESS.fullmatch(name):
            self._doubt(f"the variable {name[:40]} may change what a program runs")

    def _whole(self, node: Any, span: tuple[int, int]) -> bool:
        """Return whether nothing but space stands between the parts of a node."""
        space = _BETWEEN if node.type in BLOCKS else _WITHIN
        return all(space.fullmatch(self.source, start, end) is not None for start, end in _gaps(node, *span))

    def _apart(self, node: Any) -> bool:
        return self.source[node.end_byte : node.end_byte + 1] in _JOINTS

    def _text(self, node: Any) -> str:
        return self.source[node.start_byte : node.end_byte].decode()


def _gaps(node: Any, start: int, end: int) -> Iterator[tuple[int, int]]:
    for child in node.children:
        yield start, child.start_byte
        start = child.end_byte
    if node.children or node.type == "program":
        yield start, end


@lru_cache(maxsize=1)
def _parser() -> Any:
    # loaded at the first line: importing it took 55 ms, which no start needs
    return importlib.import_module("tree_sitter_language_pack").get_parser("bash")
