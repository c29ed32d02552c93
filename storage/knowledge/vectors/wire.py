"""What a message between this process and the one that owns the shards begins with."""

import struct

HEAD = struct.Struct("<IQ")
"""Bytes of the JSON that follows, and of the arrays behind it."""
