"""What defines a name, in each language whose syntax we read."""

from typing import Any

from artel.tools.knowledge.code.trees import Source

_JS = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "class_declaration": "class",
    "method_definition": "method",
}
_TS = {
    **_JS,
    "abstract_class_declaration": "class",
    "interface_declaration": "interface",
    "enum_declaration": "enum",
    "type_alias_declaration": "type",
    "internal_module": "namespace",
    "abstract_method_signature": "method",
    "function_signature": "function",
}
_C = {
    "function_definition": "function",
    "struct_specifier": "struct",
    "union_specifier": "union",
    "enum_specifier": "enum",
    "type_definition": "typedef",
    "preproc_function_def": "macro",
}
DEFINITIONS: dict[str, dict[str, str]] = {
    "python": {"function_definition": "def", "class_definition": "class"},
    "javascript": _JS,
    "typescript": _TS,
    "tsx": _TS,
    "go": {
        "function_declaration": "func",
        "method_declaration": "func",
        "type_spec": "type",
        "type_alias": "type",
    },
    "rust": {
        "function_item": "fn",
        "function_signature_item": "fn",
        "struct_item": "struct",
        "enum_item": "enum",
        "union_item": "union",
        "trait_item": "trait",
        "impl_item": "impl",
        "mod_item": "mod",
        "macro_definition": "macro",
        "type_item": "type",
    },
    "java": {
        "class_declaration": "class",
        "interface_declaration": "interface",
        "enum_declaration": "enum",
        "record_declaration": "record",
        "annotation_type_declaration": "@interface",
        "method_declaration": "method",
        "constructor_declaration": "constructor",
    },
    "c": _C,
    "cpp": {
        **_C,
        "class_specifier": "class",
        "namespace_definition": "namespace",
        "alias_declaration": "using",
    },
    "csharp": {
        "class_declaration": "class",
        "interface_declaration": "interface",
        "struct_declaration": "struct",
        "enum_declaration": "enum",
        "record_declaration": "record",
        "delegate_declaration": "delegate",
        "method_declaration": "method",
        "constructor_declaration": "constructor",
        "property_declaration": "property",
        "namespace_declaration": "namespace",
    },
    "ruby": {"method": "def", "singleton_method": "def", "class": "class", "module": "module"},
    "php": {
        "function_definition": "function",
        "method_declaration": "function",
        "class_declaration": "class",
        "interface_declaration": "interface",
        "trait_declaration": "trait",
        "enum_declaration": "enum",
        "namespace_definition": "namespace",
    },
    "bash": {"function_definition": "function"},
}
"""By language: types of nodes, and the word for what they define."""

ASSIGNED = frozenset(("arrow_function", "function_expression", "generator_function", "class"))
WITH_BODY = frozenset(("struct_specifier", "union_specifier", "enum_specifier", "class_specifier"))
KEYED = frozenset(("pair", "block_mapping_pair"))  # of data: JSON, YAML
WRAPPERS = frozenset(("decorated_definition", "export_statement", "type_declaration", "template_declaration"))
DEEPEST = 8  # declarators around a name in C


def kind_of(source: Source, node: Any) -> str:
    """Return the word for what a node defines; empty if it defines nothing."""
    kind = DEFINITIONS.get(source.language, {}).get(node.type, "")
    if kind and node.type in WITH_BODY and node.child_by_field_name("body") is None:
        return ""  # `struct a *b` names one that is defined elsewhere
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        return "const" if value is not None and value.type in ASSIGNED else ""
    return kind


def name_node(node: Any) -> Any | None:
    """Return the node of the name that a definition gives, if it has one."""
    for field in ("name", "declarator", "type"):
        found = node.child_by_field_name(field)
        if found is not None:
            break
    else:
        return None
    for _ in range(DEEPEST):  # C: a name lies within pointers, parameters, qualifiers
        inner = found.child_by_field_name("declarator" if "declarator" in found.type else "name")
        if inner is None:
            break
        found = inner
    return found


def label(source: Source, node: Any) -> str:
    """Return a definition as it stands in a header: `class Reader`; empty if a node is none."""
    if node.type in KEYED:
        key = node.child_by_field_name("key")
        return source.of(key)[:60].strip("\"' ") if key is not None else ""
    if node.type in WRAPPERS:
        return next((said for child in node.named_children[-2:] if (said := label(source, child))), "")
    if node.type in ("lexical_declaration", "variable_declaration") and node.named_child_count:
        return label(source, node.named_child(0))
    kind = kind_of(source, node)
    name = name_node(node) if kind else None
    return f"{kind} {source.of(name)[:60]}" if name is not None else ""
