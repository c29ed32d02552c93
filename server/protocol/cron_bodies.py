"""What clients send about crons."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from artel.server.protocol.bodies import Body, Id, Json, Limit, Offset, RunBody, Text

CronField = Literal[
    "cron_id",
    "assistant_id",
    "thread_id",
    "user_id",
    "end_time",
    "schedule",
    "timezone",
    "payload",
    "next_run_date",
    "metadata",
    "on_run_completed",
    "enabled",
    "created_at",
    "updated_at",
]
SortBy = Literal[
    "cron_id", "assistant_id", "thread_id", "created_at", "updated_at", "next_run_date", "end_time"
]
LAST_YEAR = 9000  # Postgres and Python differ about what comes long after


def _aware(moment: datetime) -> datetime:
    if not 1970 < moment.year < LAST_YEAR:
        raise ValueError(f"must be between the years 1971 and {LAST_YEAR}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


Moment = Annotated[datetime, Field(strict=False), AfterValidator(_aware)]


class CronBody(RunBody):
    """A run to come again and again; what is said of the run holds for each."""

    schedule: Text = Field(description="Minute, hour, day, month, weekday; a sixth field is for seconds.")
    timezone: Text | None = Field(None, description="Of the schedule, such as Europe/Berlin; UTC without.")
    end_time: Moment | None = Field(None, description="No run after it; UTC unless it says otherwise.")
    enabled: bool = True
    on_run_completed: Literal["delete", "keep"] = Field(
        "delete", description="What becomes of the thread that a run had for itself."
    )


class CronPatch(Body):
    """What to change of a cron: each field as when it was made."""

    schedule: Text | None = None
    timezone: Text | None = None
    end_time: Moment | None = Field(None, description="null: it goes on for ever.")
    enabled: bool | None = None
    on_run_completed: Literal["delete", "keep"] | None = None
    metadata: Json | None = Field(None, description="Added to what is there.")
    input: Any = None
    config: Json | None = None
    context: Json | None = None
    webhook: str | None = None
    interrupt_before: Literal["*"] | list[str] | None = None
    interrupt_after: Literal["*"] | list[str] | None = None
    multitask_strategy: str | None = None
    stream_mode: str | list[str] | None = None
    stream_subgraphs: bool | None = None
    stream_resumable: bool | None = None
    durability: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {k: v for k, v in given.items() if v is not None or k == "end_time"}


class CronFilter(Body):
    """Which crons."""

    assistant_id: Id | None = None
    thread_id: Id | None = None
    enabled: bool | None = None
    metadata: Json = Field({}, description="All of these, of what they have.")


class CronSearch(CronFilter):
    """Which crons, in what order, and what of them."""

    limit: Limit = 10
    offset: Offset = 0
    sort_by: SortBy = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[CronField] | None = None
