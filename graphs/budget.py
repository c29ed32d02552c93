"""How much a run may use, as data: settings, roles and clients say it in the same words."""

from pydantic import BaseModel, ConfigDict, Field


class Budget(BaseModel):
    """The most that a run may use before it stops and says so; None: as the server is set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: int | None = Field(None, gt=0, description="Of models, in and out together.")
    usd: float | None = Field(None, gt=0, description="By the prices that are known.")
    minutes: float | None = Field(None, gt=0, description="Of work, without the time that people think.")
    steps: int | None = Field(None, gt=0, description="Calls of a model.")


class Usual(Budget):
    """What holds where neither a run nor the role of its agent says otherwise."""

    steps: int | None = Field(200, gt=0, description="Calls of a model.")


class AgentSettings(BaseModel):
    """What agents may use for one request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    budget: Usual = Field(
        Usual(), description="After how much a run stops and asks, where nobody says otherwise."
    )
    most: Budget = Field(
        Budget(), description="The most for one request, whatever roles, runs and people say."
    )
