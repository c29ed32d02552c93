"""`encryption` of a configuration: whose handlers seal what is stored, and for whom they are told it is."""

import warnings
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any

import orjson
import structlog
from langgraph_sdk import Encryption, EncryptionContext
from langgraph_sdk.encryption import LangGraphBetaWarning
from starlette.authentication import UnauthenticatedUser
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from artel.server import loading
from artel.server.auth import caller
from artel.server.auth.policy import NOBODY
from artel.server.errors import refuse
from artel.server.sections import NamedIn, Section, parse
from artel.server.served import ConfigWrong, Served
from artel.storage import sealing
from artel.storage.errors import ArtelError, Invalid
from artel.storage.sealing import CannotSeal

HEADER = "X-Encryption-Context"

log = structlog.get_logger(__name__)


class EncryptionSection(Section):
    """`encryption` as it is written."""

    path: NamedIn


def read(config: Served | None) -> Encryption | None:
    """Return the `Encryption` that a configuration names; None where it names none.

    Raises:
        ConfigWrong: a key is not what it should be, or what it names cannot encrypt, or not decrypt.
    """
    section = parse(config, "encryption", EncryptionSection)
    if config is None or section is None:
        return None
    source, _, name = section.path.rpartition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LangGraphBetaWarning)
        made = loading.load_named(config, "encryption.path", source, name)
    where = f"{config.file}: encryption.path"
    if not isinstance(made, Encryption):
        raise ConfigWrong(f'{where}: "{name}" in {source} must be an Encryption, not {type(made).__name__}')
    _check(made, name, where)
    return made


def _check(made: Encryption, name: str, where: str) -> None:
    handlers = {
        "encrypt.blob": made._blob_encryptor,
        "decrypt.blob": made._blob_decryptor,
        "encrypt.json": made.get_json_encryptor(),
        "decrypt.json": made.get_json_decryptor(),
    }
    for one, other in (("encrypt.blob", "decrypt.blob"), ("encrypt.json", "decrypt.json")):
        for has, lacks in ((one, other), (other, one)):
            if handlers[has] and not handlers[lacks]:
                raise ConfigWrong(f'{where}: "{name}" has @{name}.{has}, but no @{name}.{lacks}')
    if not handlers["encrypt.blob"]:
        raise ConfigWrong(
            f'{where}: "{name}" has no @{name}.encrypt.blob and no @{name}.decrypt.blob: '
            "messages would lie in clear"
        )


class Telling:
    """Tells what is sealed during a request for whom: by its header, and by `@encryption.context`."""

    def __init__(self, app: ASGIApp, encryption: Encryption) -> None:
        self.app = app
        self._derive = encryption._context_handler
        if encryption.get_json_encryptor() is None:
            log.warning("encryption has no encrypt.json: metadata are stored in clear")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            told = await self._told(scope)
        except ArtelError as refused:
            await refuse(refused, scope, receive, send)
            return
        sealing.told.set(told)
        await self.app(scope, receive, send)

    async def _told(self, scope: Scope) -> dict[str, Any]:
        given = _given(Headers(scope=scope).get(HEADER, ""))
        if self._derive is None or caller.of(scope) is NOBODY:
            return given
        user = scope.get("user") or UnauthenticatedUser()
        try:
            told = await self._derive(user, EncryptionContext(metadata=given))
        except Exception as failed:
            said = " ".join(str(failed).split())[:200]
            raise CannotSeal(f"@context of encryption failed: {type(failed).__name__}: {said}") from failed
        if not isinstance(told, dict):
            raise CannotSeal(f"@context of encryption must return a dict, not {type(told).__name__}")
        return told


def _given(header: str) -> dict[str, Any]:
    if not header:
        return {}
    try:
        told = orjson.loads(b64decode(header, validate=True))
    except (NotBase64, ValueError) as wrong:
        raise Invalid(f"{HEADER} must be a JSON object in base64: {wrong}") from wrong
    if not isinstance(told, dict):
        raise Invalid(f"{HEADER} must be a JSON object in base64, got {told!r}")
    return told
