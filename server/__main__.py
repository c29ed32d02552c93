"""The command line: `artel serve | worker | migrate | chat | run | audit | grants | gate …`."""

import argparse
import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Protocol, cast

from artel.storage.errors import ArtelError

REFUSED = 1
INTERRUPTED = 130


class Subcommand(Protocol):
    """A module of `artel.server.cli`."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; return the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the subcommand that is asked for; return the exit status.

    What the caller can mend is said in one sentence on standard error, with status 1.
    """
    asked = parser().parse_args(arguments)
    try:
        # Serving takes a second to import; `--help` and a wrong flag need none of it.
        subcommand = cast(Subcommand, _imported(f"artel.server.cli.{asked.subcommand.replace('-', '_')}"))
        return subcommand.run(asked)
    except ArtelError as error:
        sys.stderr.write(f"artel: {error}\n")
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED


def _imported(name: str) -> object:
    """Import a module, and do not look for garbage meanwhile: that took a tenth of the start."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()  # nor shall the next looks go through it; who serves looks once, when all is loaded
        gc.enable()


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    top = argparse.ArgumentParser(prog="artel", description="An open, self-hosted LangGraph agent server.")
    top.add_argument("--version", action="version", version=f"artel {version('artel')}")
    subcommands = top.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    serve = subcommands.add_parser("serve", help="serve the API and the page, and run agents")
    _add_common(serve)
    _add_address(serve)
    _add_config(serve)
    serve.add_argument("--no-worker", action="store_true", help="only serve; other processes run the agents")
    worker = subcommands.add_parser("worker", help="only run agents, for servers on the same database")
    _add_common(worker)
    _add_config(worker)
    migrate = subcommands.add_parser("migrate", help="bring the database to this release's schema")
    _add_common(migrate)
    chat = subcommands.add_parser("chat", help="talk to an agent in the terminal")
    _add_talk(chat)
    run = subcommands.add_parser("run", help="run an agent once, without questions to a terminal")
    _add_talk(run)
    run.add_argument("message", help="what the agent is asked to do")
    run.add_argument("--json", action="store_true", help="print one JSON object a line: events, then the end")
    _add_audit(subcommands.add_parser("audit", help="check the audit log, or take it along"))
    _add_grants(subcommands.add_parser("grants", help="what need not be asked again, and take it back"))
    _add_gate(subcommands.add_parser("gate", help="judge what has changed, before it is published"))
    _add_thread(subcommands.add_parser("thread", help="take a thread away, bring one, or run one again"))
    _add_training(
        subcommands.add_parser("export-training", help="write what models may learn of, with consent")
    )
    return top


def _add_thread(to: argparse.ArgumentParser) -> None:
    acts = to.add_subparsers(dest="act", required=True, metavar="WHAT")
    export = acts.add_parser("export", help="write all that is known of a thread into an archive")
    export.add_argument("thread", metavar="ID", help="the thread's id")
    export.add_argument("file", type=Path, metavar="FILE", help="the archive, a new zip")
    bring = acts.add_parser("import", help="make a new thread of an archive, and print its id")
    bring.add_argument("file", type=Path, metavar="FILE", help="the archive")
    for each in (export, bring):
        _add_common(each)
        each.add_argument("--config", type=Path, help="the langgraph.json to serve, when no --url is given")
        each.add_argument("--url", help="a running server; without it one is started for the time being")
    replay = acts.add_parser("replay", help="run an archive again offline; status 3 at the first divergence")
    replay.add_argument("file", type=Path, metavar="FILE", help="the archive")
    replay.add_argument(
        "--policy", type=Path, metavar="FILE", help="judge by this policy, not by that of then"
    )


def _add_training(to: argparse.ArgumentParser) -> None:
    _add_common(to)
    to.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new or empty folder")
    to.add_argument("--owner", default="local", help="whose conversations (local)")
    to.add_argument("--user", help="only of this user, who consents like all others")
    to.add_argument(
        "--since", metavar="MOMENT", help="only what began then or later, 2026-01-31T12:00:00Z say"
    )
    to.add_argument("--until", metavar="MOMENT", help="only what had ended by then (now)")
    to.add_argument("--min-reward", type=float, default=0.6, metavar="R", help="for examples, 0 to 1 (0.6)")
    to.add_argument("--config", type=Path, help="the langgraph.json with the key, if they are encrypted")


def _add_grants(to: argparse.ArgumentParser) -> None:
    acts = to.add_subparsers(dest="act", required=True, metavar="WHAT")
    shown = acts.add_parser("list", help="print the grants that stand")
    revoke = acts.add_parser("revoke", help="take one back")
    revoke.add_argument("grant_id", metavar="ID", help="as the list says it")
    for each in (shown, revoke):
        _add_common(each)
        each.add_argument("--user", default="local", help="who gave them (local)")
        each.add_argument(
            "--config", type=Path, help="the langgraph.json with the key, if they are encrypted"
        )


def _add_gate(to: argparse.ArgumentParser) -> None:
    to.add_argument("paths", nargs="*", metavar="PATH", help="only these files and folders")
    to.add_argument("--base", default="HEAD", metavar="REF", help="what it is compared with (HEAD)")
    to.add_argument("--json", action="store_true", help="print the report as JSON")
    to.add_argument("--workspace", type=Path, default=Path(), help="the repository (the current folder)")


def _add_audit(to: argparse.ArgumentParser) -> None:
    acts = to.add_subparsers(dest="act", required=True, metavar="WHAT")
    verify = acts.add_parser("verify", help="walk the chains; status 1 at the first entry that does not hold")
    export = acts.add_parser("export", help="print all entries as JSON lines")
    for each in (verify, export):
        _add_common(each)
        each.add_argument("--owner", help="only this owner's chain")
    verify.add_argument(
        "--export", type=Path, metavar="FILE", help="check this export, and that the database goes on from it"
    )
    verify.add_argument("--offline", action="store_true", help="check the export alone, without a database")
    verify.add_argument("--partial", action="store_true", help="the export lacks the entries of others")
    cut = acts.add_parser("cut", help="remove old entries; an entry says who did, and why")
    _add_common(cut)
    cut.add_argument("--owner", required=True, help="whose chain")
    cut.add_argument("--through", required=True, type=_at_least_one, metavar="SEQ", help="the last to go")
    cut.add_argument("--by", required=True, help="who signs this off")
    cut.add_argument("--reason", required=True, help="why they may go")


def _add_common(to: argparse.ArgumentParser) -> None:
    to.add_argument("--data", type=Path, help="folder of the embedded database (.artel, or ARTEL_DATA)")


def _add_address(to: argparse.ArgumentParser) -> None:
    to.add_argument("--host", help="address to listen on (127.0.0.1)")
    to.add_argument("--port", type=int, help="port to listen on (8123, or PORT)")


def _add_config(to: argparse.ArgumentParser) -> None:
    to.add_argument("--config", type=Path, help="the langgraph.json to serve, or its folder")
    to.add_argument("--concurrency", type=_at_least_one, metavar="N", help="runs at once (250)")


def _add_talk(to: argparse.ArgumentParser) -> None:
    _add_common(to)
    to.add_argument("--config", type=Path, help="the langgraph.json to serve, when no --url is given")
    to.add_argument("--url", help="a running server; without it one is started for the time being")
    to.add_argument("--agent", default="", help="the agent to talk to (the first one that is served)")
    to.add_argument("--workspace", type=Path, help="the folder to work in (the current one)")
    to.add_argument("--thread", help="go on with this thread")


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
