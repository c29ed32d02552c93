"""The list of hosts means what an operator thinks it means."""

import pytest

from artel.tools.sandbox.network.hosts import are_allowed, parse
from artel.tools.sandbox.settings import SandboxSettings


@pytest.mark.parametrize(
    ("entry", "name", "port", "allowed"),
    [
        ("index.example", "index.example", 443, True),
        ("index.example", "index.example", 80, True),
        ("Index.example", "index.example", 443, True),
        ("index.example", "index.example", 8443, False),
        ("index.example", "evilindex.example", 443, False),
        ("index.example", "index.example.evil.example", 443, False),
        ("index.example", "files.index.example", 443, False),
        ("*.files.example:443", "registry.files.example", 443, True),
        ("*.files.example:443", "a.b.files.example", 443, True),
        ("*.files.example:443", "files.example", 443, False),
        ("*.files.example:443", "evilfiles.example", 443, False),
        ("*.files.example:443", "registry.files.example", 80, False),
        ("10.0.0.1:8080", "10.0.0.1", 8080, True),
        ("10.0.0.1", "167772161", 80, False),
    ],
)
def test_an_entry_means_one_host_or_all_below_it(entry: str, name: str, port: int, allowed: bool) -> None:
    assert are_allowed([parse(entry)], name, port) is allowed


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "*.",
        "*.*.org",
        "a*.org",
        "https://index.example",
        "index.example/simple",
        "a b",
        "",
        ".org",
        "x:",
        "-a",
    ],
)
def test_what_is_no_host_is_refused_with_an_example(entry: str) -> None:
    with pytest.raises(ValueError, match=r"is no host: write a name.*\*\.files\.example:443"):
        parse(entry)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_has_to_be_one(port: str) -> None:
    with pytest.raises(ValueError, match="from 1 to 65535"):
        parse(f"index.example:{port}")


def test_the_list_is_written_with_commas() -> None:
    settings = SandboxSettings.model_validate({"hosts": "index.example, *.files.example:443 ,"})
    assert settings.hosts == ("index.example", "*.files.example:443")


def test_a_list_without_a_box_would_be_a_lie() -> None:
    with pytest.raises(ValueError, match="nothing keeps commands to a list"):
        SandboxSettings.model_validate({"mode": "host", "hosts": "index.example"})
