-- What came with threads that were imported: who was asked what where they come from, what ran, the audit log.
create table imports (
    thread_id   uuid        primary key references threads on delete cascade,
    source      text        not null,              -- the thread's id where it comes from
    imported_by text        not null,
    imported_at timestamptz not null default clock_timestamp(),
    history     jsonb       not null               -- {approvals, runs, changes, audit, usage, earlier}, sealed
                                                   -- where there is `encryption`
);
