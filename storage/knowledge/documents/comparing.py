"""What is to be written of drafts, given what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from artel.storage.encoding import dumps_jsonb
from artel.storage.ids import new_id
from artel.storage.knowledge.documents.drafts import Draft, Sum
from artel.storage.knowledge.documents.record import Known, Outcome
from artel.storage.knowledge.documents.recutting import Cut, cuts

TWICE = "this id is given twice in one call: only the first was taken"
UNCUT = "its text or chunker is another than is known, so it needs its pieces"


@dataclass(frozen=True, slots=True)
class Row:
    """A document to write."""

    document_id: UUID
    draft: Draft
    sums: Sum
    text: str | None  # None: as it is
    is_cut: bool  # whether its chunks are given

    @property
    def roles(self) -> str:
        """The roles as JSON."""
        return dumps_jsonb(list(self.draft.roles)).decode()

    @property
    def metadata(self) -> str:
        """The metadata as JSON."""
        return dumps_jsonb(self.draft.metadata).decode()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written, and what will be said of each draft."""

    outcomes: list[Outcome] = field(default_factory=list)
    added: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    seen: dict[UUID, str | None] = field(default_factory=dict)  # skipped; the source has a new version
    cuts: list[Cut] = field(default_factory=list)


def compared(drafts: Sequence[Draft], checked: Sequence[Sum | str], known: Mapping[str, Known]) -> Plan:
    """Return what is to be written of `drafts`, each with its sums or with what is wrong with it."""
    plan, met = Plan(), set[str]()
    for draft, sums in zip(drafts, checked, strict=True):
        if isinstance(sums, str):
            plan.outcomes.append(Outcome(draft.external_id, "failed", sums))
        elif draft.external_id in met:
            plan.outcomes.append(Outcome(draft.external_id, "failed", TWICE))
        else:
            met.add(draft.external_id)
            plan.outcomes.append(_planned(plan, draft, sums, known.get(draft.external_id)))
    return plan


def _planned(plan: Plan, draft: Draft, sums: Sum, old: Known | None) -> Outcome:
    if old is None:
        return _added(plan, draft, sums)
    if (old.content_hash, old.described) == (sums.content_hash, sums.described):
        if old.source_version != draft.source_version:
            plan.seen[old.document_id] = draft.source_version
        return Outcome(draft.external_id, "skipped", document_id=old.document_id)
    same = old.content_hash == sums.content_hash
    is_cut = draft.pieces is not None
    if not is_cut and (not same or old.chunker != draft.chunker):
        return Outcome(draft.external_id, "failed", UNCUT, old.document_id)
    plan.changed.append(Row(old.document_id, draft, sums, None if same else draft.text, is_cut))
    plan.cuts.extend(cuts(old.document_id, draft))
    return Outcome(draft.external_id, "updated", document_id=old.document_id)


def _added(plan: Plan, draft: Draft, sums: Sum) -> Outcome:
    if draft.pieces is None:
        return Outcome(draft.external_id, "failed", UNCUT)
    row = Row(new_id(), draft, sums, draft.text, is_cut=True)
    plan.added.append(row)
    plan.cuts.extend(cuts(row.document_id, draft))
    return Outcome(draft.external_id, "added", document_id=row.document_id)
