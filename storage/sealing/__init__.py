"""Sealing: what people say is encrypted before it is stored, by handlers of theirs, and opened when read.

Without `encryption` in the configuration there is no sealer, and nobody asks one. What was stored before
there was one stays readable: ciphertext carries a mark.
"""

from artel.storage.sealing.agreement import agree
from artel.storage.sealing.sealer import (
    NO_KEY,
    SEALED,
    CannotOpen,
    CannotSeal,
    NoKey,
    Sealer,
    Unsearchable,
    told,
    within,
)

__all__ = [
    "NO_KEY",
    "SEALED",
    "CannotOpen",
    "CannotSeal",
    "NoKey",
    "Sealer",
    "Unsearchable",
    "agree",
    "told",
    "within",
]
