-- What people have registered for agents to work in.
create table workspaces (
    workspace_id uuid        primary key,
    owner        text        not null,
    user_id      text        not null,             -- who registered it, and alone may see and use it
    name         text        not null,
    kind         text        not null check (kind in ('folder', 'git')),
    source       text        not null,             -- an absolute path, or the address of a repository
    ref          text        not null default '',  -- what is checked out; empty: what the source is on
    mode         text        not null check (mode in ('shared', 'copy', 'worktree')),
    uncommitted  boolean     not null default false,
    max_mb       int,                              -- null: as the server is set
    created_at   timestamptz not null default clock_timestamp(),
    unique (owner, user_id, name)
);

-- What a thread got of one: the folder itself, or one of its own that we made and remove.
create table thread_workspaces (
    thread_id    uuid        primary key references threads on delete cascade,
    workspace_id uuid        not null references workspaces on delete cascade,
    path         text        not null,
    own          boolean     not null,
    state        text        not null check (state in ('preparing', 'ready', 'failed', 'gone')),
    problem      text,                             -- why it failed
    base_tree    text,                             -- snapshot of its files as the thread got them
    base_commit  text,
    kept_tree    text,                             -- snapshot of its files as they were when they were removed
    formerly     text[]      not null default '{}',  -- where the threads worked that this one is a copy of
    bytes        bigint,
    created_at   timestamptz not null default clock_timestamp(),
    last_used_at timestamptz not null default clock_timestamp()
);
create index thread_workspaces_of_workspace on thread_workspaces (workspace_id);
create index thread_workspaces_by_use on thread_workspaces (last_used_at) where own and state = 'ready';
