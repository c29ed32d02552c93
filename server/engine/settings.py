"""What can be tuned in the engine."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from artel.storage.runs import Limits


class EngineSettings(BaseModel):
    """How much runs at once, how fast a death is noticed, how events are kept."""

    worker: bool = Field(default=True, description="Run graphs in this process; off for API-only replicas.")
    slots: int = Field(default=250, ge=1, description="Runs at once in this process.")
    lease_s: float = Field(default=5, gt=0, description="Silence after which a worker counts as dead.")
    renew_s: float = Field(default=1.5, gt=0, description="Time between two renewals of the lease.")
    look_s: float = Field(default=0.1, gt=0, description="Time between two looks at the other workers.")
    poll_s: float = Field(default=5, gt=0, description="Slow look at the queue, should a wake-up be lost.")
    max_attempts: int = Field(default=3, ge=1, description="Attempts of a run whose workers keep dying.")
    approval_timeout_s: float = Field(default=300, gt=0, description="Time people have to answer our agents.")
    chunk_ms: int = Field(
        default=30,
        ge=0,
        description="Time for which events wait to be stored; in a crowd of runs up to eight times that.",
    )
    chunk_bytes: int = Field(default=16_384, ge=1, description="Bytes of events that are stored at once.")
    ring_events: int = Field(default=4096, ge=16, description="Events of a run kept in memory for readers.")
    event_ttl_h: float = Field(default=168, gt=0, description="Hours for which ended runs can be replayed.")
    thread_ttl_min: float | None = Field(
        default=None,
        gt=0,
        le=52_560_000,
        description="Minutes for which new threads stay untouched; empty: as langgraph.json says.",
    )
    thread_ttl_strategy: Literal["delete", "keep_latest"] = Field(
        default="delete", description="What then goes: the thread, or only its past."
    )
    thread_sweep_s: float | None = Field(
        default=None,
        gt=0,
        description="Time between two looks for such threads; empty: as langgraph.json says, else 300.",
    )
    snapshot_ttl_h: float = Field(
        default=720, gt=0, le=876_000, description="Hours for which changes to files can be undone."
    )
    user_runs: int | None = Field(default=None, ge=1, description="Runs of one user at once; others wait.")
    assistant_runs: int | None = Field(
        default=None, ge=1, description="Runs of one assistant at once; others wait."
    )
    user_rate: int | None = Field(default=None, ge=1, description="Runs that one user may start in a minute.")
    assistant_rate: int | None = Field(
        default=None, ge=1, description="Runs of one assistant that may be started in a minute."
    )
    grace_s: float = Field(default=10, ge=0, description="Time steps have to end when the server stops.")

    @property
    def limits(self) -> Limits:
        """How much of one user, and of one assistant, runs at once."""
        return Limits(self.user_runs, self.assistant_runs)


class WebhookSettings(BaseModel):
    """How the ends of runs are told to others."""

    model_config = ConfigDict(frozen=True)

    secret: SecretStr = Field(SecretStr(""), description="Signs what is sent (HMAC-SHA256); empty: unsigned.")
    attempts: int = Field(8, ge=1, description="Attempts at a delivery before it counts as failed.")
    retry_s: float = Field(5, gt=0, description="Pause after the first failure; each next one is 4 times it.")
    timeout_s: float = Field(10, gt=0, le=60, description="Time a receiver has to answer.")
    allow_loopback: bool = Field(False, description="Let webhooks go to this very machine.")
    allow_private: bool = Field(False, description="Let webhooks go to private and link-local addresses.")
