-- What the files of a workspace were before and after each change of an agent's, and each undo. The files
-- themselves lie in the data folder, in a private git repository of the workspace; here are the names of trees.
create table snapshots (
    change_id     uuid        primary key,
    effect_key    bytea       unique,              -- of the call; null: an undo or a restore
    thread_id     uuid        not null references threads on delete cascade,
    run_id        uuid,
    checkpoint_id text        not null default '',  -- that the step began from; its files are those of `before`
    tool_call_id  text        not null default '',
    tool          text        not null,
    workspace     text        not null,
    before        text,                            -- null: the files could not be kept, `problem` says why
    after         text,                            -- null: under way, or broken off
    paths         jsonb       not null default '[]',  -- [{path, kind}], the first of them
    files         int         not null default 0,  -- how many there are
    undoes        uuid[]      not null default '{}',
    problem       text,
    begun_at      timestamptz not null default clock_timestamp(),
    done_at       timestamptz
);
create index snapshots_of_thread on snapshots (thread_id, change_id desc);
create index snapshots_of_workspace on snapshots (workspace, change_id);
create index snapshots_by_age on snapshots (begun_at);
