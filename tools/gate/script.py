"""What names in TypeScript and JavaScript stand for, whatever they are imported or assigned as."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from artel.tools.gate.python import MAX_DEPTH, MAX_NAMES, MAX_NESTED, MAX_ROUNDS, Import
from artel.tools.gate.source import NOTHING, Names, Node, Source, every, identifier, line_of, literal

_GLOBALS = ("window.", "globalThis.", "self.", "global.")
_THROUGH = {
    *("parenthesized_expression", "await_expression", "as_expression", "non_null_expression"),
    *("satisfies_expression", "ternary_expression", "sequence_expression", "binary_expression"),
}
_NAMES = ("identifier", "shorthand_property_identifier")


@dataclass(slots=True)
class Scope:
    """The names of one file, all its scopes taken together."""

    means: dict[str, set[str]] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)

    def of(self, node: Node, depth: int = 0) -> Names:
        """Return all that an expression may stand for, as dotted names."""
        if node is None or depth > MAX_NESTED:
            return NOTHING
        return frozenset(_plain(name) for name in self._of(node, depth + 1) if name.count(".") <= MAX_DEPTH)

    def _of(self, node: Node, depth: int) -> Iterator[str]:
        if node.type in _NAMES:
            name = identifier(node)
            yield from self.means.get(name, ())
            if name not in self.imported:
                yield name
        elif node.type in ("member_expression", "subscript_expression"):
            name = member(node)
            for each in self.of(node.child_by_field_name("object"), depth):
                yield f"{each}.{name}"
        elif node.type == "call_expression":
            yield from self._called(node, depth)
        elif node.type == "assignment_expression":
            yield from self.of(node.child_by_field_name("right"), depth)
        elif node.type in _THROUGH:
            for child in node.named_children:
                yield from self.of(child, depth)

    def _called(self, node: Node, depth: int) -> Iterator[str]:
        function, given = node.child_by_field_name("function"), arguments(node)
        if (module := loaded(node)) is not None:
            yield module or "?"
        elif "Reflect.get" in self.of(function, depth) and len(given) >= 2:
            for each in self.of(given[0], depth):
                yield f"{each}.{literal(given[1]) or '?'}"
        elif function.type == "member_expression" and member(function) == "bind":
            yield from self.of(function.child_by_field_name("object"), depth)


@lru_cache(maxsize=1)
def scope(source: Source) -> Scope:
    """Return what the names of a file stand for."""
    found = Scope()
    assigned: list[tuple[Node, Node]] = []
    for node in source.nodes():
        match node.type:
            case "import_statement":
                _bind(found, node, source)
            case "variable_declarator":
                assigned.append((node.child_by_field_name("name"), node.child_by_field_name("value")))
            case "assignment_expression" | "assignment_pattern":
                assigned.append((node.child_by_field_name("left"), node.child_by_field_name("right")))
            case "call_expression":
                assigned += _promised(node)
    for _ in range(MAX_ROUNDS):
        grown = [found.means for target, value in assigned if _assign(found, target, found.of(value))]
        if not grown:
            break
    return found


def _assign(found: Scope, target: Node, names: Names) -> bool:
    """Let a name, or those of a pattern, stand for what was assigned; say whether that was news."""
    if target is None or not names:
        return False
    match target.type:
        case "identifier" | "shorthand_property_identifier_pattern":
            name = identifier(target)
            known = found.means.setdefault(name, set())
            fresh = names - known - {name}
            if not fresh or len(known) >= MAX_NAMES:
                return False
            known |= fresh
            return True
        case "object_pattern":
            return sum(_assign(found, *each) for each in _taken(target, names)) > 0
    return False


def _taken(pattern: Node, names: Names) -> Iterator[tuple[Node, Names]]:
    for one in pattern.named_children:
        if one.type == "shorthand_property_identifier_pattern":
            yield one, _members(names, identifier(one))
        elif one.type == "pair_pattern":
            yield one.child_by_field_name("value"), _members(names, _key(one))
        elif one.type == "object_assignment_pattern":
            left = one.child_by_field_name("left")
            yield left, _members(names, identifier(left))
        elif one.type == "rest_pattern":
            yield one.named_children[0], names


def _members(names: Names, key: str) -> Names:
    return frozenset(_plain(f"{name}.{key}") for name in names if name.count(".") < MAX_DEPTH)


def _key(pair: Node) -> str:
    key = pair.child_by_field_name("key")
    if key.type == "computed_property_name":
        return literal(key.named_children[0]) or "?"
    return identifier(key) if key.type == "property_identifier" else literal(key) or "?"


def _promised(call: Node) -> list[tuple[Node, Node]]:
    """Return what the first parameter of `import(…).then(parameter => …)` is assigned."""
    function, given = call.child_by_field_name("function"), arguments(call)
    if function.type != "member_expression" or member(function) != "then" or not given:
        return []
    taker = given[0]
    parameter = taker.child_by_field_name("parameter")
    if parameter is None and (several := taker.child_by_field_name("parameters")) is not None:
        parameter = next(iter(several.named_children), None)
    if parameter is not None and parameter.type in ("required_parameter", "optional_parameter"):
        parameter = parameter.child_by_field_name("pattern")
    return [] if parameter is None else [(parameter, function.child_by_field_name("object"))]


def _bind(found: Scope, node: Node, source: Source) -> None:
    module = source_of(node)
    for each in every(node):
        if each.type == "import_specifier":
            name = each.child_by_field_name("name")
            alias = each.child_by_field_name("alias") or name
            _know(found, alias, f"{module}.{_word(name)}")
        elif each.type == "identifier" and _parent(each, source) in ("import_clause", "namespace_import"):
            _know(found, each, module)
        elif each.type == "import_require_clause":
            _know(found, each.named_children[0], source_of(each))


def _know(found: Scope, name: Node, means: str) -> None:
    found.means.setdefault(identifier(name), set()).add(_plain(means))
    found.imported.add(identifier(name))


def _word(name: Node) -> str:
    return literal(name) or "?" if name.type == "string" else identifier(name)


def source_of(node: Node) -> str:
    """Return the module that an import or export statement names; nothing where it names none."""
    source = node.child_by_field_name("source")
    return bare(literal(source) or "?") if source is not None else ""


def bare(module: str) -> str:
    """Return a module without the word that says that it is Node's own.

    >>> bare("node:fs"), bare("fs")
    ('fs', 'fs')
    """
    return module.removeprefix("node:")


def loaded(call: Node) -> str | None:
    """Return the module that `require("m")` or `import("m")` loads, "" if it cannot be told; else None."""
    function, given = call.child_by_field_name("function"), arguments(call)
    loads = function.type == "import" or (function.type == "identifier" and identifier(function) == "require")
    if not loads or not given:
        return None
    return bare(literal(given[0]) or "")


def imports(source: Source) -> Iterator[Import]:
    """Yield the modules that a file imports, as they are written."""
    for node in source.nodes():
        if node.type in ("import_statement", "export_statement", "import_require_clause"):
            named = node.child_by_field_name("source")
            if named is not None:
                yield Import(literal(named) or "?", line_of(node))
        elif node.type == "call_expression" and loaded(node) is not None:
            yield Import(literal(arguments(node)[0]) or "?", line_of(node))


def mentions(source: Source, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Node]]:
    """Yield names that code mentions, called or not, and what imports and exports take by name.

    Those of which the last part is not `wanted` are left out, some of them.
    """
    found = scope(source)
    for node in source.nodes():
        match node.type:
            case "import_specifier" | "export_specifier":
                around = (one for one in source.above(node) if one.type.endswith("_statement"))
                statement = next(around, None)
                if statement is not None and (module := source_of(statement)):
                    yield _plain(f"{module}.{_word(node.child_by_field_name('name'))}"), node
            case "identifier" | "shorthand_property_identifier":
                own = identifier(node)
                if (own in found.means or wanted(own)) and not _is_label(node, source):
                    for name in found.of(node):
                        yield name, node
            case "member_expression" | "subscript_expression" if wanted(member(node)):
                for name in found.of(node):
                    yield name, node
            case "call_expression":
                for name in found.of(node):
                    yield name, node
            case "object_pattern":
                yield from _picked(node, found, source)


def _picked(pattern: Node, found: Scope, source: Source) -> Iterator[tuple[str, Node]]:
    parent = next(source.above(pattern), pattern)
    value = parent.child_by_field_name("value") or parent.child_by_field_name("right")
    if value is None or value == pattern:
        return
    for target, names in _taken(pattern, found.of(value)):
        for name in names:
            yield name, target


def calls(source: Source) -> Iterator[Node]:
    """Yield all calls of a file, `new` ones too."""
    return (node for node in source.nodes() if node.type in ("call_expression", "new_expression"))


def arguments(call: Node) -> list[Node]:
    """Return the arguments of a call."""
    given = call.child_by_field_name("arguments")
    if given is None or given.type != "arguments":
        return []
    return [one for one in given.named_children if one.type != "comment"]


def member(node: Node) -> str:
    """Return the name of the part that `a.b` or `a["b"]` looks into; `?` where it cannot be told."""
    if node.type == "member_expression":
        return identifier(node.child_by_field_name("property"))
    index = node.child_by_field_name("index")
    return (literal(index) if index is not None else None) or "?"


def _parent(node: Node, source: Source) -> str:
    return next((one.type for one in source.above(node)), "")


def _is_label(node: Node, source: Source) -> bool:
    """Whether an identifier is part of an import, the name of a definition, or looked into by name."""
    parent = next(source.above(node), node)
    match parent.type:
        case "import_clause" | "import_specifier" | "namespace_import" | "import_require_clause":
            return True
        case "export_specifier" | "required_parameter" | "optional_parameter" | "formal_parameters":
            return bool(parent.child_by_field_name("value") != node)
        case "function_declaration" | "class_declaration" | "variable_declarator":
            return bool(parent.child_by_field_name("name") == node)
        case "member_expression":  # `Function.prototype`; what it leads to is looked at by itself
            return bool(parent.child_by_field_name("object") == node)
        case "binary_expression":
            operator = parent.child_by_field_name("operator")
            return operator is not None and operator.type in ("instanceof", "===", "!==", "==", "!=")
    return False


def _plain(name: str) -> str:
    name = name.removeprefix("node:")
    while name.startswith(_GLOBALS):
        name = name.partition(".")[2]
    return name.replace(".default.", ".").removesuffix(".default")
