"""Which programs a change is checked by, and where they are found."""

import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from artel.tools.gate.changes import Change, Changed
from artel.tools.gate.configuration import Check, Gate, any_fits, fits
from artel.tools.gate.declared import loads
from artel.tools.gate.parsing import Reads
from artel.tools.gate.report import CheckResult
from artel.tools.sandbox.bubblewrap import SYSTEM, environment
from artel.tools.sandbox.settings import SandboxSettings

FILES = "{files}"
PYTHON = (".py", ".pyi")
TYPED = (".ts", ".tsx", ".mts", ".cts")
SCRIPT = (*TYPED, ".js", ".jsx", ".mjs", ".cjs")

_ENVIRONMENTS = {"python": (".venv/bin", "venv/bin"), "typescript": ("node_modules/.bin",)}
_ESLINT = re.compile(r"eslint\.config\.\w+|\.eslintrc(\.\w+)?")


@dataclass(frozen=True, slots=True)
class Program:
    """A program and what a box must show for it to run."""

    path: str
    readable: tuple[Path, ...] = ()
    is_own: bool = False
    "Whether it lies in the workspace."


@dataclass(frozen=True, slots=True)
class Checker:
    """A program to run over some files of a change."""

    check: str
    language: str
    program: Program
    args: tuple[str, ...]
    "FILES among them stands for the files."
    files: tuple[str, ...]
    "From the workspace."
    home: str
    "The folder it runs in, from the workspace; empty: the workspace itself."
    reads: Reads
    found_codes: tuple[int, ...]
    "Exit codes that mean that it found something; any other than these and 0: it could not run."
    timeout_s: float
    is_wide: bool = False
    "Whether what it finds in a file depends on other files."


class Plan:
    """Works out what to run for one change."""

    def __init__(self, change: Change, gate: Gate, settings: SandboxSettings) -> None:
        self._root = change.root
        self._gate = gate
        self._settings = settings
        self._files = [
            one for one in change.entries if one.kind == "file" and not any_fits(one.path, gate.exclude)
        ]

    def steps(self) -> Iterator[Checker | CheckResult]:
        """Yield what to run, and a result for each check that cannot be."""
        if python := self._of(PYTHON):
            yield from self._wanted("lint", "python", self._ruff("lint", python))
            yield from self._wanted("format", "python", self._ruff("format", python))
            yield from self._wanted("types", "python", self._mypy(python))
        if script := self._of(SCRIPT):
            yield from self._wanted("lint", "typescript", self._eslint(script))
            yield from self._wanted("format", "typescript", self._prettier(script))
        if typed := self._of(TYPED):
            yield from self._wanted("types", "typescript", self._tsc(typed))
        for check in self._gate.check:
            yield self._own(check)

    def _wanted(
        self, check: str, language: str, steps: Iterable[Checker | str]
    ) -> Iterator[Checker | CheckResult]:
        if not self._gate.wants(check):
            return
        for step in steps:
            if isinstance(step, Checker):
                yield step
            else:
                status = "broken" if self._gate.insists_on(check) else "skipped"
                yield CheckResult(check=check, language=language, status=status, reason=step)

    def _ruff(self, check: str, files: Sequence[str]) -> Iterator[Checker | str]:
        common = ("--no-cache", "--force-exclude", "--", FILES)
        args: tuple[str, ...] = ("check", "--output-format", "json", *common)
        reads: Reads = "ruff"
        if check == "format":
            args, reads = ("format", "--check", *common), "reformat"
        yield self._checker(check, "python", "ruff", args, files, "", reads, (1,))

    def _mypy(self, files: Sequence[str]) -> Iterator[Checker | str]:
        args = ["--cache-dir=/dev/null", "--no-error-summary", "--no-color-output", "--no-pretty"]
        args += ["--show-error-codes", "--hide-error-context"]
        if not self._configures_mypy():
            args += ["--explicit-package-bases", "--ignore-missing-imports"]
        found = self._locate("mypy", "python", "")
        own = self._root / ".venv/bin/python"
        if found and not found.is_own and own.exists() and self._is_visible(own.resolve()):
            args += ["--python-executable", str(own)]
        yield self._checker(
            "types", "python", "mypy", (*args, "--", FILES), files, "", "lines", (1,), is_wide=True
        )

    def _eslint(self, files: Sequence[str]) -> Iterator[Checker | str]:
        for home, some in self._homes(files, "package.json").items():
            if not self._configures_eslint(home):
                yield f"{home or 'the project'} has no configuration of eslint"
                continue
            args = ("--format", "json", "--", FILES)
            yield self._checker("lint", "typescript", "eslint", args, some, home, "eslint", (1,))

    def _prettier(self, files: Sequence[str]) -> Iterator[Checker | str]:
        for home, some in self._homes(files, "package.json").items():
            args = ("--list-different", "--ignore-unknown", "--", FILES)
            yield self._checker("format", "typescript", "prettier", args, some, home, "paths", (1,))

    def _tsc(self, files: Sequence[str]) -> Iterator[Checker | str]:
        for home, some in self._homes(files, "tsconfig.json").items():
            if not self._root.joinpath(home, "tsconfig.json").is_file():
                yield f"there is no tsconfig.json in {home or 'the workspace'} or above {some[0]!r}"
                continue
            args = ("--noEmit", "--pretty", "false")
            yield self._checker("types", "typescript", "tsc", args, some, home, "lines", (1, 2), is_wide=True)

    def _own(self, check: Check) -> Checker | CheckResult:
        files = [one.path for one in self._files if fits(one.path, check.files)]
        if not files and (check.files or FILES in check.run):
            why = "no file that it is for has changed"
            return CheckResult(check=check.name, status="skipped", reason=why)
        first = check.run[0]
        found = Program(first) if "/" in first else self._locate(first, "python", "")
        found = found or self._locate(first, "typescript", "")
        if found is None:
            return CheckResult(
                check=check.name,
                status="broken",
                reason=f"there is no program {first!r}: neither in .venv or node_modules, nor on PATH",
            )
        return Checker(
            check.name,
            *("", found, check.run[1:], tuple(files), "", check.parse, tuple(range(1, 126)), check.timeout_s),
            is_wide=True,
        )

    def _checker(
        self,
        check: str,
        language: str,
        name: str,
        args: tuple[str, ...],
        files: Sequence[str],
        home: str,
        reads: Reads,
        found_codes: tuple[int, ...],
        *,
        is_wide: bool = False,
    ) -> Checker | str:
        found = self._locate(name, language, home)
        if found is None:
            where = " or ".join(_ENVIRONMENTS[language])
            return f"{name} is not installed: neither in {where} of the project, nor on PATH of the server"
        return Checker(
            *(check, language, found, args, tuple(files), home, reads, found_codes, self._gate.timeout_s),
            is_wide=is_wide,
        )

    def _of(self, suffixes: tuple[str, ...]) -> list[str]:
        return [one.path for one in self._files if PurePosixPath(one.path).suffix.lower() in suffixes]

    def _homes(self, files: Iterable[str], marker: str) -> dict[str, list[str]]:
        """Return the files by the nearest folder above them that holds a file `marker`."""
        homes: dict[str, list[str]] = {}
        for path in files:
            above = [str(each) for each in PurePosixPath(path).parents]
            home = next((each for each in above if self._root.joinpath(each, marker).is_file()), ".")
            homes.setdefault("" if home == "." else home, []).append(path)
        return homes

    def _locate(self, name: str, language: str, home: str) -> Program | None:
        if self._gate.own_programs:
            for folder in (PurePosixPath(home), *PurePosixPath(home).parents):
                for inner in _ENVIRONMENTS[language]:
                    own = self._root / folder / inner / name
                    if own.exists():
                        return Program(str(own), is_own=True)
        ours = str(Path(sys.executable).parent)
        in_box = environment(self._settings)["PATH"]
        found = next((one for path in (in_box, ours, None) if (one := shutil.which(name, path=path))), "")
        if not Path(found).is_absolute():
            return None
        return Program(found, tuple(self._shown_for(Path(found))))

    def _shown_for(self, program: Path) -> Iterator[Path]:
        """Yield what a box has to show besides what every one does."""
        if program.is_relative_to(sys.prefix):
            needed = [Path(sys.prefix), Path(sys.base_prefix)]
        else:
            needed = [program, program.resolve()]
        yield from (
            path for path in dict.fromkeys(needed) if path != Path("/") and not self._is_visible(path)
        )

    def _is_visible(self, path: Path) -> bool:
        seen = (*map(Path, SYSTEM), *self._settings.readable)
        return any(path.is_relative_to(folder) for folder in seen)

    def _configures_mypy(self) -> bool:
        if any((self._root / name).is_file() for name in ("mypy.ini", ".mypy.ini")):
            return True
        return any(
            word in self._read(name)
            for name, word in (("pyproject.toml", "[tool.mypy"), ("setup.cfg", "[mypy"))
        )

    def _configures_eslint(self, home: str) -> bool:
        for folder in (PurePosixPath(home), *PurePosixPath(home).parents):
            place = self._root / folder
            if any(_ESLINT.fullmatch(one.name) for one in place.iterdir()):
                return True
            if "eslintConfig" in loads(self._read(str(folder / "package.json"))):
                return True
        return False

    def _read(self, path: str) -> str:
        place = self._root / path
        return place.read_text(errors="replace") if place.is_file() and not place.is_symlink() else ""


def overlaid(change: Change, files: Iterable[Changed]) -> dict[Path, bytes]:
    """Return what the files of a change held at its base, for a box that is to show it."""
    return {
        change.root / one.path: one.before for one in files if one.kind == "file" and one.before is not None
    }
