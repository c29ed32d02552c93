-- What people think of what agents did: one word of a user on a message, or on a run as a whole.
create table feedback (
    feedback_id uuid        primary key,
    owner       text        not null,
    user_id     text        not null,              -- whose word it is, and who alone sees it
    thread_id   uuid        not null references threads on delete cascade,
    run_id      uuid        not null references runs on delete cascade,  -- which said it
    message_id  text,                              -- null: the run as a whole
    score       smallint    not null check (score in (-1, 1)),
    comment     jsonb,                             -- a text, sealed where there is `encryption`
    created_at  timestamptz not null default clock_timestamp(),
    updated_at  timestamptz not null default clock_timestamp()
);
create unique index feedback_one_each
    on feedback (thread_id, user_id, (coalesce('message:' || message_id, 'run:' || run_id::text)));
create index feedback_of_run on feedback (run_id);
create index feedback_of_user on feedback (owner, user_id, feedback_id desc);

-- Who lets models learn of their conversations: of what they begin from then on. No row: they do not.
create table training_consents (
    owner    text        not null,
    user_id  text        not null,
    given_at timestamptz not null default clock_timestamp(),
    primary key (owner, user_id)
);

-- Conversations that nothing is learned of whatever their people said.
create table training_exclusions (
    thread_id   uuid        primary key references threads on delete cascade,
    user_id     text        not null,              -- who said so
    excluded_at timestamptz not null default clock_timestamp()
);

-- Other configurations of an assistant that some of its threads get, to be compared with its own.
create table experiments (
    experiment_id uuid        primary key,
    owner         text        not null,
    user_id       text        not null,            -- who began it
    assistant_id  uuid        not null references assistants on delete cascade,
    name          text        not null,
    control       int         not null check (control >= 0),  -- weight of the assistant as it is
    variants      jsonb       not null,            -- [{name, weight, context}], sealed where there is `encryption`
    min_threads   int         not null check (min_threads >= 2),
    alpha         float8      not null check (alpha > 0 and alpha < 1),
    looks         jsonb       not null default '{}',  -- {variant: how many were made}
    dropped       jsonb       not null default '{}',  -- {variant: why it was rolled back}
    status        text        not null check (status in ('running', 'stopped', 'rolled_back')),
    started_at    timestamptz not null default clock_timestamp(),
    ended_at      timestamptz
);
create unique index experiments_one_an_assistant on experiments (owner, assistant_id) where status = 'running';
create index runs_of_experiment on runs ((metadata ->> 'experiment_id')) where metadata ? 'experiment_id';
