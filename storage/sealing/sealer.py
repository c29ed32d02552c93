"""Encrypts and decrypts by the handlers of an `Encryption`, and marks what it has encrypted."""

from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from langgraph_sdk import Encryption, EncryptionContext
from langgraph_sdk.encryption.types import DecryptResult

from artel.storage.encoding import dumps, dumps_jsonb, loads
from artel.storage.errors import ArtelError, BadRequest, Unavailable

Json: TypeAlias = dict[str, Any]
Told: TypeAlias = Mapping[str, Any]  # what an EncryptionContext has as its metadata; not secret
Head: TypeAlias = list[Any]  # model, field, Told: stored in clear beside what was sealed with it

SEALED = "artel.sealed"
NO_KEY = "it is sealed, and this process has no `encryption` in its langgraph.json: give it that key again"
MANAGED = frozenset(  # the server's own words about a thing, by which it looks for it
    {
        "assistant_id",
        "checkpoint_id",
        "created_by",
        "cron_id",
        "experiment_id",
        "experiment_variant",
        "graph_id",
        "run_id",
        "task_id",
        "thread_id",
    }
)

# For whom something is sealed: set for a request from its header and user, for a run from its own row.
told: ContextVar[Told] = ContextVar("artel_sealing_told", default={})  # noqa: B039 - nobody changes it


class CannotSeal(Unavailable):
    """A handler of `encryption` did not encrypt; nothing was stored."""

    code = "cannot_seal"


class CannotOpen(ArtelError):
    """A handler of `encryption` did not decrypt what is stored."""

    code = "cannot_open"


class NoKey(CannotOpen):
    """What is stored is sealed, and nothing here could open it."""

    code = "no_key"


class Unsearchable(BadRequest):
    """Nothing can be looked for in what is encrypted."""

    code = "unsearchable"


@contextmanager
def within(context: Told) -> Iterator[None]:
    """Seal with this context until it ends."""
    token = told.set(context)
    try:
        yield
    finally:
        told.reset(token)


class Sealer:
    """Seals bytes and JSON; `mark` is a key of JSON that nobody outside this database could have written.

    What is looked for by its keys goes through the handlers of JSON, which may leave some in clear: in
    `{"email": {mark: [*head, ciphertext]}}` one was not. Everything else is sealed whole, by the handlers of
    blobs: `{mark: base64}`.
    """

    def __init__(self, encryption: Encryption, mark: str) -> None:
        self.mark = mark
        self._encryption = encryption

    @property
    def keeps_keys(self) -> bool:
        """Whether there are handlers of JSON."""
        return self._encryption.get_json_encryptor() is not None

    async def seal_bytes(self, model: str, field: str, plain: bytes, *, context: Told | None = None) -> bytes:
        """Return bytes sealed, in front of them their context.

        Raises:
            CannotSeal: the handler failed.
        """
        head = _head(model, field, context)
        sealed = await _ask(self._encryption._blob_encryptor, "encrypt.blob", head, plain, CannotSeal)
        if not isinstance(sealed, bytes):
            raise CannotSeal(f"encrypt.blob of encryption must return bytes, not {type(sealed).__name__}")
        return dumps(head) + b"\n" + sealed

    async def open_bytes(self, sealed: bytes) -> bytes:
        """Return what `seal_bytes` was given.

        Raises:
            CannotOpen: the handler failed.
        """
        head, _, ciphertext = bytes(sealed).partition(b"\n")
        decrypt, given = self._encryption._blob_decryptor, loads(head)
        plain = await _ask(decrypt, "decrypt.blob", given, ciphertext, CannotOpen)
        if not isinstance(plain, bytes):
            raise CannotOpen(f"decrypt.blob of encryption must return bytes, not {type(plain).__name__}")
        return plain

    async def seal(self, model: str, field: str, value: object) -> Json:
        """Return a value sealed whole, as JSON. Keys put beside the mark stay in clear, and do no harm.

        Raises:
            CannotSeal: the handler failed.
        """
        return {self.mark: b64encode(await self.seal_bytes(model, field, dumps_jsonb(value))).decode()}

    async def seal_keys(self, model: str, field: str, value: Mapping[str, Any]) -> Json:
        """Return an object with those values sealed that `encrypt.json` changes; without one as it is.

        Objects that it leaves as they are it is given in turn; what the server itself says it never is.

        Raises:
            CannotSeal: the handler failed, or did not keep to the keys.
        """
        if not self.keeps_keys:
            return dict(value)
        plain: Any = loads(dumps_jsonb(value))
        return await self._seal_keys(_head(model, field, None), plain)

    async def seal_value(self, model: str, field: str, value: Mapping[str, Any]) -> Json:
        """Return an object sealed by its keys where there are handlers for that, else whole.

        Raises:
            CannotSeal: the handler failed, or did not keep to the keys.
        """
        return await (self.seal_keys if self.keeps_keys else self.seal)(model, field, value)

    async def check_clear(self, model: str, field: str, wanted: Mapping[str, Any]) -> None:
        """Refuse to look for what is encrypted: it would not be found.

        Raises:
            Unsearchable: `encrypt.json` does not leave that in clear.
            CannotSeal: the handler failed, or did not keep to the keys.
        """
        plain: Any = loads(dumps_jsonb(wanted))
        for key, value in (await self.seal_keys(model, field, plain)).items():
            if value != plain[key]:
                raise Unsearchable(
                    f"{field}.{key} cannot be searched: it is encrypted, and only what encrypt.json of "
                    "`encryption` leaves in clear can be found"
                )

    async def open(self, value: Any) -> Any:
        """Return a value, a row, or rows, with everything opened that is sealed in there.

        Raises:
            CannotOpen: the handler failed.
        """
        if isinstance(value, list):
            return [await self.open(one) for one in value]
        if not isinstance(value, dict):
            return value
        if isinstance(whole := value.get(self.mark), str):
            opened = loads(await self.open_bytes(b64decode(whole)))
            beside = {key: one for key, one in value.items() if key != self.mark}
            return {**beside, **opened} if isinstance(opened, dict) else opened
        found: Json = {}
        by_head: dict[bytes, Json] = {}
        for key, one in value.items():
            if isinstance(one, dict) and isinstance(sealed := one.get(self.mark), list):
                by_head.setdefault(dumps(sealed[:3]), {})[key] = sealed[3]
            elif isinstance(one, dict | list):
                found[key] = await self.open(one)
        for head, given in by_head.items():
            found |= await self._open_keys(loads(head), given)
        return {**value, **found}

    def context_of(self, value: object) -> Told:
        """Return the context that a value was sealed with, whole; none when it is in clear."""
        whole = value.get(self.mark) if isinstance(value, dict) else None
        head: Any = (
            loads(b64decode(whole).partition(b"\n")[0]) if isinstance(whole, str) else [None, None, {}]
        )
        return dict(head[2])

    async def _seal_keys(self, head: Head, plain: Json) -> Json:
        given = {key: value for key, value in plain.items() if key not in MANAGED}
        if not given:
            return plain
        copy: Any = loads(dumps(given))  # a handler may change what it is given
        sealed = await _ask(
            self._encryption.get_json_encryptor(), "encrypt.json", head, copy, CannotSeal, keys=given
        )
        kept = dict(plain)
        for key, value in given.items():
            if sealed[key] != value:
                kept[key] = {self.mark: [*head, sealed[key]]}
            elif isinstance(value, dict):
                kept[key] = await self._seal_keys(head, value)
        return kept

    async def _open_keys(self, head: Any, given: Json) -> Json:
        decrypt = self._encryption.get_json_decryptor()
        if decrypt is None:
            raise NoKey("decrypt.json of encryption is needed to read what encrypt.json has sealed")
        opened: Json = await _ask(decrypt, "decrypt.json", head, given, CannotOpen, keys=dict(given))
        return opened


def _head(model: str, field: str, context: Told | None) -> Head:
    return [model, field, dict(told.get() if context is None else context)]


async def _ask(
    handler: Callable[[EncryptionContext, Any], Awaitable[Any]] | None,
    name: str,
    head: Any,
    given: Any,
    refused: type[ArtelError],
    *,
    keys: Mapping[str, Any] | None = None,
) -> Any:
    assert handler is not None  # the section was checked
    model, field, context = head
    try:
        answer = await handler(EncryptionContext(model, dict(context), field), given)
    except Exception as failed:
        said = " ".join(str(failed).split())[:200]
        raise refused(
            f"{name} of encryption failed ({model} {field}): {type(failed).__name__}: {said}"
        ) from failed
    if isinstance(answer, DecryptResult):
        answer = answer.plaintext
    if keys is not None and (not isinstance(answer, dict) or answer.keys() != keys.keys()):
        got = sorted(answer) if isinstance(answer, dict) else type(answer).__name__
        raise refused(
            f"{name} of encryption must return the keys it was given, {sorted(keys)}; it returned {got}"
        )
    return answer
