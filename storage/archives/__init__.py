"""Archives of threads: all that is known of one in a zip of JSON, and how such a zip is read safely.

Nothing in an archive is code: values are JSON with a closed list of marked kinds, so reading one makes
messages and plain values and nothing else.
"""

from artel.storage.archives.opening import FORMAT, VERSION, Archive, ArchiveWrong, opened

__all__ = ["FORMAT", "VERSION", "Archive", "ArchiveWrong", "opened"]
