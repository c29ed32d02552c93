"""What can be tuned in the gateway."""

from pydantic import BaseModel, ConfigDict, Field


class SocketSettings(BaseModel):
    """How much one WebSocket may ask, and how long it may be silent."""

    model_config = ConfigDict(frozen=True)

    max_bytes: int = Field(1024 * 1024, ge=1024, description="Bytes that a message to `/api/v1/ws` may have.")
    rate: float = Field(50, gt=0, description="Messages a second that one such socket may send, over time.")
    burst: int = Field(100, ge=1, description="Messages that it may send at once.")
    most: int = Field(200, ge=1, description="Such sockets that one user may have open.")
    threads: int = Field(64, ge=1, description="Conversations that one such socket may listen to.")
    auth_s: float = Field(10, gt=0, description="Time for the first message of a socket that brought no key.")
    idle_s: float = Field(
        900, gt=0, description="Time after which a socket is closed that listens to nothing and says nothing."
    )
    stall_s: float = Field(
        30, gt=0, description="Time after which a socket is cut whose client takes nothing of what is sent."
    )
    ping_s: float = Field(
        20, gt=0, description="Time between pings on every WebSocket, and for the answer to one."
    )
