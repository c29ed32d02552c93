-- What each call of a model used and cost. It outlives threads and runs, as a bill does: no foreign keys.
create table usage (
    run_id        uuid        not null,
    call_id       uuid        not null,
    called_at     timestamptz not null default clock_timestamp(),
    thread_id     uuid        not null,
    input_tokens  int         not null,  -- all that was given, what was cached and written to a cache among it
    cached_tokens int         not null,
    cache_written int         not null,
    output_tokens int         not null,  -- all that was said, thoughts among it
    thought       int         not null,
    took_ms       int         not null,
    step          int         not null,  -- of its graph
    usd           float8,                -- by the prices of that day; null: nobody knows them
    owner         text        not null,
    agent         text        not null,
    model         text        not null,  -- provider:name
    plan_step     text        not null,  -- id of the step of a plan that it was made for; empty: of none
    primary key (run_id, call_id)
);
create index usage_of_thread on usage (thread_id);
create index usage_of_owner on usage (owner, called_at);
