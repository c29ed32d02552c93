"""How much a run may use, as data: settings, roles and clients say it in the same words."""

from pydantic import BaseModel, ConfigDict, Field


class Budget(BaseModel):
    """The most that a run may use before it stops and says so; None: as the server is set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: int | None = Field(None, gt=0, description="Of models, in and out together.")
    usd: float | None = Field(None, gt=0, description="By the prices that are known.")
    minutes: float | None = Field(None, gt=0, description="Of work, without the time that people think.")
    steps: int | None = Field(None, gt=0, description="Calls of a model.")


class AgentSettings(Budget):
    """What agents may use for one request: where nobody says otherwise, and whatever anybody says."""

    tokens: int | None = Field(
        None, gt=0, description="Tokens after which a run stops and asks, where nobody says otherwise."
    )
    usd: float | None = Field(None, gt=0, description="US dollars after which it does.")
    minutes: float | None = Field(None, gt=0, description="Minutes of work after which it does.")
    steps: int | None = Field(200, gt=0, description="Calls of a model after which it does.")
    most_tokens: int | None = Field(
        None, gt=0, description="The most tokens for one request, whatever roles, runs and people say."
    )
    most_usd: float | None = Field(None, gt=0, description="The most US dollars for one request.")
    most_minutes: float | None = Field(None, gt=0, description="The most minutes of work for one request.")
    most_steps: int | None = Field(None, gt=0, description="The most calls of a model for one request.")

    @property
    def most(self) -> Budget:
        """What nobody exceeds."""
        return Budget(
            tokens=self.most_tokens, usd=self.most_usd, minutes=self.most_minutes, steps=self.most_steps
        )
