"""What names in Python code stand for, whatever they are imported or assigned as."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from artel.tools.gate.source import NOTHING, Names, Node, Source, every, identifier, line_of, literal, said

MAX_NAMES = 16  # that one name may stand for
MAX_DEPTH = 8  # dots in a name
MAX_ROUNDS = 10  # through the assignments of a file
MAX_NESTED = 80  # expressions within each other

_PARAMETERS = {
    *("parameters", "lambda_parameters", "list_splat_pattern", "dictionary_splat_pattern"),
    *("default_parameter", "typed_parameter", "typed_default_parameter"),
}
REACHING = frozenset(
    (
        *("getattr", "vars", "globals", "locals", "modules", "import_module"),
        *("__import__", "__dict__", "__builtins__"),
    )
)
"""Words without one of which no call and no subscript stands for a name."""

_IMPORTS = ("importlib.import_module", "importlib.__import__", "__import__")


@dataclass(frozen=True, slots=True)
class Import:
    """A module that a line imports."""

    module: str
    line: int


@dataclass(slots=True)
class Scope:
    """The names of one file, all its scopes taken together: who hides a name in one hides it in none."""

    means: dict[str, set[str]] = field(default_factory=dict)
    stars: set[str] = field(default_factory=set)
    "Modules of which everything was imported."
    covered: set[str] = field(default_factory=set)
    "Names that surely are not the builtin ones: bound at the top of the file and never unbound."

    def of(self, node: Node, depth: int = 0) -> Names:
        """Return all that an expression may stand for, as dotted names."""
        if node is None or depth > MAX_NESTED:
            return NOTHING
        return frozenset(_plain(name) for name in self._of(node, depth + 1) if name.count(".") <= MAX_DEPTH)

    def _of(self, node: Node, depth: int) -> Iterator[str]:
        match node.type:
            case "identifier":
                yield from self._named(identifier(node))
            case "attribute":
                name = identifier(node.child_by_field_name("attribute"))
                for each in self.of(node.child_by_field_name("object"), depth):
                    yield f"{each}.{name}"
            case "call":
                yield from self._called(node, depth)
            case "subscript":
                yield from self._picked(node, depth)
            case "named_expression":
                yield from self.of(node.child_by_field_name("value"), depth)
            case "assignment":
                yield from self.of(node.child_by_field_name("right"), depth)
            case "parenthesized_expression" | "conditional_expression" | "boolean_operator" | "await":
                for child in node.named_children:
                    yield from self.of(child, depth)

    def _named(self, name: str) -> Iterator[str]:
        yield from self.means.get(name, ())
        if name not in self.covered:
            yield name
        for module in self.stars:
            yield f"{module}.{name}"

    def _called(self, node: Node, depth: int) -> Iterator[str]:
        arguments = positional(node)
        for function in self.of(node.child_by_field_name("function"), depth):
            if function == "getattr" and len(arguments) >= 2:
                name = literal(arguments[1])
                for each in self.of(arguments[0], depth):
                    yield f"{each}.{'?' if name is None else name}"
            elif function in _IMPORTS and arguments and (module := literal(arguments[0])):
                yield module.partition(".")[0] if function == "__import__" else module
            elif function == "vars" and arguments:
                for each in self.of(arguments[0], depth):
                    yield f"{each}.__dict__"
            elif function in ("globals", "locals", "vars"):
                yield "builtins.__dict__"

    def _picked(self, node: Node, depth: int) -> Iterator[str]:
        key = node.child_by_field_name("subscript")
        name = literal(key) if key is not None else None
        for each in self.of(node.child_by_field_name("value"), depth):
            if each == "sys.modules":
                yield name or "?"
            elif each.endswith("__dict__") or each == "__builtins__":
                owner = each.removesuffix("__dict__").removesuffix(".") or "builtins"
                yield f"{owner}.{'?' if name is None else name}"


@lru_cache(maxsize=1)
def scope(source: Source) -> Scope:
    """Return what the names of a file stand for."""
    found = Scope()
    assigned: list[tuple[Node, Node]] = []
    unbound: set[str] = set()
    for node in source.nodes():
        match node.type:
            case "import_statement" | "import_from_statement":
                _bind(found, node, source)
            case "assignment" | "named_expression":
                left = node.child_by_field_name("left") or node.child_by_field_name("name")
                right = node.child_by_field_name("right") or node.child_by_field_name("value")
                assigned += _pairs(left, right)
            case "default_parameter" | "typed_default_parameter":
                assigned += _pairs(node.child_by_field_name("name"), node.child_by_field_name("value"))
            case "as_pattern" if node.named_child_count == 2:
                assigned += _pairs(node.named_children[1].named_children[0], node.named_children[0])
            case "delete_statement":
                unbound |= {identifier(each) for each in every(node) if each.type == "identifier"}
            case "function_definition" | "class_definition" if _is_top(node, source):
                found.covered.add(identifier(node.child_by_field_name("name")))
    found.covered -= unbound
    _follow(found, assigned)
    return found


def _follow(found: Scope, assigned: list[tuple[Node, Node]]) -> None:
    for _ in range(MAX_ROUNDS):
        grown = False
        for target, value in assigned:
            name = identifier(target)
            known = found.means.setdefault(name, set())
            fresh = found.of(value) - known - {name}
            if fresh and len(known) < MAX_NAMES:
                known |= fresh
                grown = True
        if not grown:
            return


def _pairs(left: Node, right: Node) -> list[tuple[Node, Node]]:
    if left is None or right is None:
        return []
    if left.type == "identifier":
        return [(left, right)]
    several = ("pattern_list", "tuple_pattern", "list_pattern", "tuple", "list", "expression_list")
    if left.type in several and right.type in several and left.named_child_count == right.named_child_count:
        pairs = zip(left.named_children, right.named_children, strict=True)
        return [pair for one, other in pairs for pair in _pairs(one, other)]
    return []


def _bind(found: Scope, node: Node, source: Source) -> None:
    module = _module(node)
    for each in node.children_by_field_name("name"):
        alias = each.child_by_field_name("alias")
        full = dotted(each.child_by_field_name("name") if alias is not None else each)
        name = identifier(alias) if alias is not None else full.partition(".")[0]
        if node.type == "import_statement":
            means = full if alias is not None else name
        else:
            means = f"{module}.{full}"
        found.means.setdefault(name, set()).add(means)
        if _is_top(node, source):
            found.covered.add(name)
    if module and any(child.type == "wildcard_import" for child in node.children):
        found.stars.add(module)


def _module(node: Node) -> str:
    named = node.child_by_field_name("module_name")
    return dotted(named) if named is not None else ""


def dotted(node: Node) -> str:
    """Return a dotted name, blanks within it left out."""
    if node.type == "identifier":
        return identifier(node)
    if node.type == "dotted_name":
        return ".".join(identifier(child) for child in node.named_children if child.type == "identifier")
    return "".join(said(node).split())


def imports(source: Source) -> Iterator[Import]:
    """Yield the modules that a file imports, those from its own package left out."""
    by_call = scope(source) if {"import_module", "__import__"} & source.words() else None
    for node in source.nodes():
        if node.type == "import_statement":
            for each in node.children_by_field_name("name"):
                alias = each.child_by_field_name("alias")
                yield Import(
                    dotted(each.child_by_field_name("name") if alias is not None else each), line_of(node)
                )
        elif node.type == "import_from_statement":
            if not (module := _module(node)).startswith("."):
                yield Import(module, line_of(node))
        elif (
            by_call and node.type == "call" and by_call.of(node.child_by_field_name("function")) & {*_IMPORTS}
        ):
            arguments = positional(node)
            module = (literal(arguments[0]) if arguments else None) or "?"
            if not module.startswith("."):
                yield Import(module, line_of(node))


def mentions(source: Source, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Node]]:
    """Yield names that code mentions, called or not, and what `from … import` takes.

    Those of which the last part is not `wanted` are left out, some of them.
    """
    found = scope(source)
    reaches = bool(REACHING & source.words())
    for node in source.nodes():
        match node.type:
            case "import_from_statement":
                module = _module(node)
                for each in node.children_by_field_name("name"):
                    named = each.child_by_field_name("name")
                    yield f"{module}.{dotted(named if named is not None else each)}", node
            case "identifier":
                own = identifier(node)
                if not (own in found.means or wanted(own)) or _is_label(node, source):
                    continue
                for name in found.of(node):
                    if name != own or (wanted(own) and not _is_parameter(node, own, source)):
                        yield name, node
            case "attribute" if wanted(identifier(node.child_by_field_name("attribute"))):
                for name in found.of(node):
                    yield name, node
            case "subscript" | "call" if reaches:
                for name in found.of(node):
                    yield name, node


def calls(source: Source) -> Iterator[Node]:
    """Yield all calls of a file."""
    return (node for node in source.nodes() if node.type == "call")


def positional(call: Node) -> list[Node]:
    """Return the arguments of a call that have no name."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "argument_list":
        return []
    return [one for one in arguments.named_children if one.type not in ("keyword_argument", "comment")]


def keywords(call: Node) -> dict[str, Node]:
    """Return the arguments of a call by name, those of a dictionary written out in it too."""
    arguments = call.child_by_field_name("arguments")
    found: dict[str, Node] = {}
    for one in arguments.named_children if arguments is not None else ():
        if one.type == "keyword_argument":
            found[identifier(one.child_by_field_name("name"))] = one.child_by_field_name("value")
        elif one.type == "dictionary_splat" and one.named_children[0].type == "dictionary":
            for pair in one.named_children[0].named_children:
                if pair.type == "pair" and (key := literal(pair.child_by_field_name("key"))):
                    found[key] = pair.child_by_field_name("value")
    return found


def _is_top(node: Node, source: Source) -> bool:
    parent = next(source.above(node), None)
    return parent is not None and parent.type == "module"


def _is_label(node: Node, source: Source) -> bool:
    """Whether an identifier only names a part of something else: an attribute, an argument, a definition."""
    parent = next(source.above(node), node)
    match parent.type:
        case "attribute":
            return bool(parent.child_by_field_name("attribute") == node)
        case "keyword_argument" | "function_definition" | "class_definition" | "default_parameter":
            return bool(parent.child_by_field_name("name") == node)
        case "typed_default_parameter":
            return bool(parent.child_by_field_name("name") == node)
        case "parameters" | "lambda_parameters" | "typed_parameter":
            return True
        case "dotted_name" | "aliased_import" | "import_statement" | "import_from_statement":
            return True
        case "global_statement" | "nonlocal_statement":
            return True
    return False


def _is_parameter(node: Node, name: str, source: Source) -> bool:
    """Whether a function around a mention has a parameter of that name."""
    for around in source.above(node):
        if around.type in ("function_definition", "lambda"):
            parameters = around.child_by_field_name("parameters")
            inside = parameters is not None and not _within(node, parameters)
            if inside and name in _names_of(parameters):
                return True
    return False


def _within(node: Node, outer: Node) -> bool:
    return bool(outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte)


def _names_of(parameters: Node) -> Iterator[str]:
    for one in parameters.named_children:
        named = one.child_by_field_name("name") or (one if one.type == "identifier" else None)
        if named is None:
            named = next((each for each in one.named_children if each.type == "identifier"), None)
        if named is not None and one.type in {"identifier", *_PARAMETERS}:
            yield identifier(named)


def _plain(name: str) -> str:
    while name.startswith(("builtins.", "__builtins__.", "__main__.")):
        name = name.partition(".")[2]
    return name
