"""What is said when a migration cannot be done."""

from artel.storage.errors import ArtelError


class MigrationFailed(ArtelError):
    """Postgres refused a statement of a migration; nothing of that revision was kept."""

    code = "migration_failed"

    @classmethod
    def by(cls, refusal: Exception) -> "MigrationFailed":
        """Return the error that says, in a line, what Postgres said."""
        said = str(refusal).strip().partition("\n")[0]
        return cls(f"the database could not be migrated: {said}; its user must be able to create tables")
