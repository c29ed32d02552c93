-- What somebody allows from now on: in a thread, in a project, or always. It holds for runs in their own name.
create table grants (
    grant_id     uuid        primary key,
    owner        text        not null,
    user_id      text        not null,  -- who gave it
    scope        text        not null check (scope in ('thread', 'project', 'always')),
    thread_id    uuid        references threads on delete cascade,
    workspace    text,                  -- the real path of the project's folder
    agent        text        not null,  -- '': any
    tool         text        not null,
    covers       jsonb       not null,  -- {"calls": [...]}, sealed where there is `encryption`
    approval_id  uuid,                  -- with whose answer it was given; it outlives that
    created_at   timestamptz not null default clock_timestamp(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    used         bigint      not null default 0,
    last_used_at timestamptz,
    check ((scope = 'thread') = (thread_id is not null)),
    check ((scope = 'project') = (workspace is not null))
);
create index grants_of_user on grants (owner, user_id, grant_id desc) where revoked_at is null;
create index grants_of_thread on grants (thread_id) where thread_id is not null;

-- Policies of one's own. Versions are only added; the newest holds, and one without a document is the server's.
create table policies (
    owner      text        not null,
    user_id    text        not null,
    version    int         not null check (version >= 1),
    document   jsonb,                   -- sealed where there is `encryption`
    author     text        not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (owner, user_id, version)
);
