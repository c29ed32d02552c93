-- The first tables: assistants, threads, the run queue, its event log, and the two ledgers.

create table assistants (
    assistant_id uuid primary key,
    graph_id     text        not null,
    name         text        not null,
    description  text,
    config       jsonb       not null default '{}',
    context      jsonb       not null default '{}',
    metadata     jsonb       not null default '{}',
    version      int         not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now()
);
create index assistants_by_graph on assistants (graph_id);

create table threads (
    thread_id        uuid primary key,
    status           text        not null default 'idle'
                     check (status in ('idle', 'busy', 'interrupted', 'error')),
    metadata         jsonb       not null default '{}',
    config           jsonb       not null default '{}',
    interrupts       jsonb       not null default '{}',  -- {task_id: [{id, value}]}
    error            jsonb,                              -- {error, message}
    owner            text        not null default 'local',
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    state_updated_at timestamptz not null default now()
);
create index threads_by_age on threads (updated_at desc);
create index threads_by_metadata on threads using gin (metadata jsonb_path_ops);

-- A process that runs graphs. Alive while its advisory lock is held or its lease is young.
create table workers (
    worker_id   uuid primary key,
    lock_key    bigint      not null,
    host        text        not null,
    pid         int         not null,
    slots       int         not null,
    started_at  timestamptz not null default now(),
    lease_until timestamptz not null
);

-- The queue. `attempt` is the fence: every write of a run carries it and fails when stale.
create table runs (
    run_id             uuid primary key,
    thread_id          uuid        not null references threads on delete cascade,
    assistant_id       uuid        not null,
    graph_id           text        not null,
    status             text        not null
                       check (status in ('pending', 'running', 'success', 'error', 'timeout', 'interrupted')),
    kwargs             jsonb       not null,
    metadata           jsonb       not null default '{}',
    multitask_strategy text        not null default 'enqueue',
    priority           int         not null default 0,
    due_at             timestamptz not null default now(),
    attempt            int         not null default 0,
    max_attempts       int         not null default 3,
    worker_id          uuid,
    reserved_seq       bigint      not null default 0,  -- no event id above this was ever given out
    cancel             text        check (cancel in ('interrupt', 'rollback')),
    error              jsonb,                           -- {error, message}
    temporary          boolean     not null default false,  -- its thread goes when it ends
    owner              text        not null default 'local',
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    started_at         timestamptz,
    ended_at           timestamptz
);
create unique index runs_one_running_a_thread on runs (thread_id) where status = 'running';
create index runs_queue on runs (priority desc, due_at, run_id) where status = 'pending';
create index runs_of_worker on runs (worker_id) where status = 'running';
create index runs_of_thread on runs (thread_id, created_at desc, run_id desc);

-- The event log, one row a chunk of 20-50 ms or 16 KB. No foreign key: it would lock the run row at every chunk.
create table run_events (
    run_id     uuid        not null,
    first_seq  bigint      not null,
    last_seq   bigint      not null,
    attempt    int         not null,
    chunk      bytea       not null,
    created_at timestamptz not null default now(),
    primary key (run_id, first_seq)
);
create index run_events_by_age on run_events (created_at);

-- Questions to people. First valid answer wins; only an approve or edit of this very row lets a tool run.
create table approvals (
    approval_id     uuid primary key,
    thread_id       uuid        not null references threads on delete cascade,
    run_id          uuid        not null,          -- the run that asked
    interrupt_id    text        not null,
    namespace       text        not null default '',
    kind            text        not null check (kind in ('tool_call', 'question', 'plan', 'foreign')),
    tool_call_id    text,
    tool            text,
    args            jsonb,
    value           jsonb       not null,          -- the interrupt's value, as asked
    owner           text        not null default 'local',
    asked_at        timestamptz not null default now(),
    expires_at      timestamptz,
    decision        jsonb,
    decided_at      timestamptz,
    decided_by      text,
    answer_run_id   uuid,                          -- the run the answer started
    superseded_at   timestamptz,
    status          text        not null generated always as (
        case
            when decision is null and superseded_at is not null then 'superseded'
            when decision is null then 'pending'
            when decided_by = 'timeout' then 'timeout'
            when kind = 'tool_call' and decision ->> 'type' in ('approve', 'edit') then 'approved'
            when kind = 'tool_call' and jsonb_path_exists(
                 decision, '$.decisions[*] ? (@.type == "approve" || @.type == "edit")') then 'approved'
            when kind = 'tool_call' or decision ->> 'type' = 'reject' then 'rejected'
            else 'approved'
        end) stored,
    unique (thread_id, interrupt_id, run_id)
);
create index approvals_open on approvals (thread_id) where decision is null and superseded_at is null;
create index approvals_of_owner on approvals (owner, asked_at desc);
create index approvals_expiring on approvals (expires_at) where decision is null and superseded_at is null;

-- What tools did to the world. Intent first, result after; a repeat of the same call finds its own row.
create table effects (
    effect_key   bytea       primary key,          -- sha256 of (thread, namespace, parent checkpoint, tool call, args)
    thread_id    uuid        not null references threads on delete cascade,
    run_id       uuid,
    tool         text        not null,
    tool_call_id text        not null,
    intent       jsonb       not null,
    result       jsonb,
    begun_at     timestamptz not null default now(),
    done_at      timestamptz
);
create index effects_of_thread on effects (thread_id);

-- The items of lists in checkpoints (messages above all), each once a thread. A version of a list, in LangGraph's
-- `checkpoint_blobs` with the type 'artel.list', has only their names.
create table checkpoint_items (
    thread_id text   not null,
    name      bytea  not null,  -- a hash of type and bytes
    type      text   not null,  -- as the serializer says; 'artel.chunk': names of items
    blob      bytea  not null,
    shown     bigint not null,  -- length and checksum of its JSON: tells whether an event shows just this
    primary key (thread_id, name)
);

-- Refuses the transaction of a worker that lost its run. Called first in every fenced write.
create function artel_fence(run uuid, fenced_attempt int) returns void language plpgsql as $$
begin
    perform 1 from runs where run_id = run and attempt = fenced_attempt and status = 'running' for share;
    if not found then
        raise exception 'attempt % of run % is stale', fenced_attempt, run using errcode = 'AR001';
    end if;
end $$;
