"""What can go wrong with an embedder that runs elsewhere."""

from artel.storage.errors import ArtelError, Unavailable


class EmbedderUnavailable(Unavailable):
    """The server of embeddings does not answer, or is too busy; what was asked may be asked again later."""

    code = "embedder_unavailable"


class EmbedderRefused(ArtelError):
    """The server of embeddings refused what it was asked, or answered with what are no vectors."""

    code = "embedder_refused"
    status = 502
