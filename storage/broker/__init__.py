"""Wake-ups between processes, by topic: Postgres NOTIFY or Redis carry them, rows are the truth."""

from artel.storage.broker.alone import LonelyBroker
from artel.storage.broker.listening import PAYLOAD_BYTES, Broker, Subscription, notify
from artel.storage.broker.postgres import PostgresBroker, open_broker

__all__ = [
    "PAYLOAD_BYTES",
    "Broker",
    "LonelyBroker",
    "PostgresBroker",
    "Subscription",
    "notify",
    "open_broker",
]
