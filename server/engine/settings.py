"""What can be tuned in the engine."""

from pydantic import BaseModel, Field


class EngineSettings(BaseModel):
    """How much runs at once, how fast a death is noticed, how events are kept."""

    worker: bool = Field(default=True, description="Run graphs in this process; off for API-only replicas.")
    slots: int = Field(default=100, ge=1, description="Runs at once in this process.")
    lease_s: float = Field(default=5, gt=0, description="Silence after which a worker counts as dead.")
    renew_s: float = Field(default=1.5, gt=0, description="Time between two renewals of the lease.")
    look_s: float = Field(default=0.1, gt=0, description="Time between two looks at the other workers.")
    poll_s: float = Field(default=5, gt=0, description="Slow look at the queue, should a wake-up be lost.")
    max_attempts: int = Field(default=3, ge=1, description="Attempts of a run whose workers keep dying.")
    approval_timeout_s: float = Field(default=300, gt=0, description="Time people have to answer our agents.")
    chunk_ms: int = Field(default=30, ge=0, description="Longest time an event waits to be stored.")
    chunk_bytes: int = Field(default=16_384, ge=1, description="Bytes of events that are stored at once.")
    ring_events: int = Field(default=4096, ge=16, description="Events of a run kept in memory for readers.")
    event_ttl_h: float = Field(default=168, gt=0, description="Hours for which ended runs can be replayed.")
    grace_s: float = Field(default=10, ge=0, description="Time steps have to end when the server stops.")
