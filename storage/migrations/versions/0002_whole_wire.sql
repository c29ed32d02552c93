-- What the whole wire keeps: versions of assistants, limits of life, schedules, webhooks.

create table assistant_versions (
    assistant_id uuid        not null references assistants on delete cascade,
    version      int         not null,
    graph_id     text        not null,
    name         text        not null,
    description  text,
    config       jsonb       not null,
    context      jsonb       not null,
    metadata     jsonb       not null,
    created_at   timestamptz not null default now(),
    primary key (assistant_id, version)
);
insert into assistant_versions
       (assistant_id, version, graph_id, name, description, config, context, metadata, created_at)
select assistant_id, version, graph_id, name, description, config, context, metadata, created_at
  from assistants;

-- A thread's events are numbered over its runs: an event of a run is number `event_base + seq` of its thread.
-- `event_base` of a thread is where its next run begins; of a run, where it began (null: it never began).
alter table threads
    add column event_base  bigint           not null default 0,
    add column ttl_minutes double precision check (ttl_minutes > 0),  -- null: it stays
    add column ttl_strategy text            not null default 'delete'
               check (ttl_strategy in ('delete', 'keep_latest')),
    add column pruned_at   timestamptz,  -- by `keep_latest`: its time begins again when something happens
    add column expires_at  timestamptz      generated always as (
        case when pruned_at is null or pruned_at < updated_at
             then (updated_at at time zone 'UTC' + ttl_minutes * interval '1 minute') at time zone 'UTC'
        end) stored;
create index threads_expiring on threads (expires_at) where expires_at is not null;

alter table runs
    add column event_base      bigint,
    add column cron_id         uuid,
    add column idempotency_key text,
    add column user_id         text not null default 'local';  -- whose share of the slots it takes
update runs set event_base = 0 where attempt > 0;
update threads t set event_base = coalesce((select max(reserved_seq) from runs r
                                             where r.thread_id = t.thread_id), 0);
create unique index runs_by_idempotency_key on runs (owner, idempotency_key) where idempotency_key is not null;
create index runs_under_way on runs (user_id, assistant_id) where status = 'running';

-- What `priority` of the configuration said of a thread, once; higher goes first.
create table thread_priorities (
    thread_id uuid primary key references threads on delete cascade,
    priority  int  not null
);

-- How many more runs somebody may start now: filled up by the minute, never above the limit.
create table run_rates (
    subject   text             primary key,  -- `user …` or `assistant …`
    tokens    double precision not null,
    filled_at timestamptz      not null
);
create index runs_by_events on runs (thread_id, event_base) where event_base is not null;

-- Runs to come. One tick makes one run, whichever replica fires it.
create table crons (
    cron_id          uuid        primary key,
    assistant_id     uuid        not null references assistants on delete cascade,
    thread_id        uuid        references threads on delete cascade,  -- null: a thread of its own each time
    schedule         text        not null,
    timezone         text,                                             -- null: UTC
    end_time         timestamptz,
    enabled          boolean     not null default true,
    on_run_completed text        not null default 'delete' check (on_run_completed in ('delete', 'keep')),
    payload          jsonb       not null,                             -- the body of its runs
    metadata         jsonb       not null default '{}',
    owner            text        not null default 'local',
    user_id          text,
    next_run_date    timestamptz,                                      -- null: it will not fire again
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index crons_due on crons (next_run_date) where enabled and next_run_date is not null;
create index crons_of_thread on crons (thread_id);

-- What is to be told to others when a run has ended, and what came of it. Outlives run and thread.
create table webhook_deliveries (
    delivery_id  uuid        primary key,
    run_id       uuid        not null,
    thread_id    uuid        not null,
    owner        text        not null default 'local',
    url          text        not null,
    body         jsonb       not null,
    status       text        not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
    attempts     int         not null default 0,
    due_at       timestamptz not null default now(),
    answered     int,                                  -- the last HTTP status
    reason       text,                                 -- why the last attempt failed
    log          jsonb       not null default '[]',    -- of each attempt: at, answered, reason, took_ms
    created_at   timestamptz not null default now(),
    delivered_at timestamptz
);
create index webhook_deliveries_due on webhook_deliveries (due_at) where status = 'pending';
create index webhook_deliveries_of_run on webhook_deliveries (run_id);
create index webhook_deliveries_of_owner on webhook_deliveries (owner, created_at desc, delivery_id desc);

-- A worker's lock says something only about the Postgres it was taken in: after a restart or a fail-over a free
-- one means nothing until its owner is back. Null: it holds none (behind a pooler), and its lease alone counts.
alter table workers add column locked_since timestamptz;

-- Whether something here was ever sealed by `encryption` of a configuration. `mark` is the key that tells what is
-- sealed in a JSON column from what somebody wrote there: no one outside knows it.
create table seals (
    only_one boolean     primary key default true check (only_one),
    mark     text        not null,
    since    timestamptz not null default now()
);
