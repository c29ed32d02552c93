"""Words: strict Markdown templates, one folder per agent."""

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


def render(name: str, **values: object) -> str:
    """Return the prompt `name` (`coder/system`) filled with `values`, ending in one line break.

    Whitespace is stable: a block tag alone on its line leaves no line behind, so equal values give equal
    text and a provider's prompt cache hits.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
        jinja2.TemplateNotFound: there is no such prompt.
    """
    return _template(name).render(values).strip() + "\n"


def read(name: str) -> str:
    """Return the text of `name` (`coder/role`) as it stands in its file: no template.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return (Path(str(files(__name__))) / f"{name}.md").read_text(encoding="utf-8")


def version(*names: str) -> str:
    """Return ten hexadecimal digits that change when a word of these prompts does.

    A name is a prompt or a folder of them; of what is not there nothing is taken.
    """
    home = Path(str(files(__name__)))
    said = sha256()
    for name in names:
        folder = home / name
        for file in sorted(folder.glob("*.md")) if folder.is_dir() else [home / f"{name}.md"]:
            if file.is_file():
                said.update(f"{file.relative_to(home).as_posix()}\0{file.read_text('utf-8')}\0".encode())
    return said.hexdigest()[:10]


def having(name: str) -> list[str]:
    """Return the folders that have a file of that name, sorted: `role` gives `ask`, `coder`, …"""
    return sorted(path.parent.name for path in Path(str(files(__name__))).glob(f"*/{name}.md"))


@lru_cache(maxsize=256)
def _template(name: str) -> Template:
    return _environment().get_template(f"{name}.md")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(str(files(__name__)))),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  the reader is a model, not a browser
    )
