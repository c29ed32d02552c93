"""What the audit log is told of consent to training, and of experiments."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from artel.server.engine import redaction
from artel.server.telemetry import carried
from artel.storage.chains import said
from artel.storage.experiments import Experiment
from artel.storage.ids import new_id


def consent_entry(came_to: str, *, owner: str, user_id: str, thread_id: UUID | None = None) -> dict[str, Any]:
    """Return the entry of what somebody said of training: for all they begin, or of one thread."""
    return {
        "id": str(new_id()),
        "kind": "consent",
        "at": said(datetime.now(UTC)),
        "owner": owner,
        "user": user_id,
        **carried.origin(),
        **({"thread_id": str(thread_id)} if thread_id else {}),
        "status": came_to,
    }


def experiment_entry(
    experiment: Experiment, came_to: str, *, user: str, measured: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the entry of an experiment that was begun or stopped, or of a variant that was rolled back."""
    return {
        "id": str(new_id()),
        "kind": "experiment",
        "at": said(datetime.now(UTC)),
        "owner": experiment.owner,
        **({"user": user} if user else {}),
        **(carried.origin() if user else {"surface": "clock"}),
        "experiment_id": str(experiment.experiment_id),
        "assistant_id": str(experiment.assistant_id),
        "status": came_to,
        "said": {
            "summary": redaction.text(experiment.name),
            "variants": {
                one.name: {"weight": one.weight, "context_sha": redaction.digest(one.context)}
                for one in experiment.variants
            },
            **({"measured": dict(measured)} if measured else {}),
        },
    }
