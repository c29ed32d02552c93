"""What is known: collections, sources, documents, chunks, kept vectors, marks, and imports of documents."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the SQL file beside this one; whole, by the driver itself, as psql would."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None, "Alembic runs migrations on a connection"
    connection.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))
