"""What an operator may say about the folders that are made for threads."""

from pydantic import BaseModel, ConfigDict, Field


class WorkspaceSettings(BaseModel):
    """How large folders of threads may be made, and how long they stay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_mb: int = Field(
        4_096, ge=1, le=2**31 - 1, description="Size of a folder that is made for a thread, and of a mirror."
    )
    ttl_h: float = Field(
        720, gt=0, le=876_000, description="Hours unused after which a thread's folder is removed."
    )
    attachment_mb: int = Field(
        25, ge=1, le=64, description="Size of a file that a person may attach to a conversation."
    )
