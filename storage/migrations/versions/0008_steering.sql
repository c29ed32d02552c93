-- Messages to a run that is on: its agent takes them up before its next call of a model, each once.
create table steering (
    steering_id  uuid        primary key,
    thread_id    uuid        not null references threads on delete cascade,
    owner        text        not null,
    user_id      text        not null,             -- who said it
    message      jsonb       not null,             -- {"text": ...}, sealed where there is `encryption`
    created_at   timestamptz not null default clock_timestamp(),
    changed_at   timestamptz,
    taken_run    uuid,                             -- which took it; the run may be gone
    taken_in     text,                             -- in which step: begun again, that step takes it again
    taken_at     timestamptz,
    delivered_at timestamptz,                      -- since when it stands in the thread for certain
    check ((taken_run is null) = (taken_at is null))
);
create index steering_of_thread on steering (thread_id, steering_id) where delivered_at is null;
create index steering_of_run on steering (taken_run) where taken_run is not null and delivered_at is null;
