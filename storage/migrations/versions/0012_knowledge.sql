-- What is searched together, in one embedder's vectors. Whoever changes its documents holds the lock of its row.
create table collections (
    collection_id uuid        primary key,
    owner         text        not null,
    name          text        not null,
    embedder      text,                              -- null: no vector was asked for yet
    dimension     int         check (dimension > 0),
    revision      bigint      not null default 0,    -- one more with each committed change, in order of commits
    pruned        bigint      not null default 0,    -- tombstones up to this revision are gone
    index_key     uuid        not null,              -- under which the vector index has it; a rebuild changes it
    learned       jsonb       not null default '{"live": 0, "versions": []}',
    created_at    timestamptz not null default clock_timestamp(),
    check ((embedder is null) = (dimension is null)),
    unique (owner, name)
);

-- Keys that a vector index need not have any more; whoever has that index takes them out.
create table dropped_indexes (
    index_key  uuid        primary key,
    drop_after timestamptz not null                  -- that of an index being built: when it is surely given up
);

-- Where documents come from.
create table sources (
    source_id     uuid        primary key,
    owner         text        not null,
    collection_id uuid        not null references collections on delete cascade,
    kind          text        not null,
    name          text        not null,
    config        jsonb       not null default '{}', -- without secrets
    cursor        jsonb,                             -- up to where its changes are known
    schedule      text,
    state         text        not null default 'idle' check (state in ('idle', 'running', 'failed', 'paused')),
    report        jsonb,                             -- the last one
    created_at    timestamptz not null default clock_timestamp(),
    updated_at    timestamptz not null default clock_timestamp(),
    began_at      timestamptz,
    ended_at      timestamptz,
    listed_at     timestamptz,                       -- when all of it was listed last, to find deletions
    unique (collection_id, name),
    unique (source_id, collection_id)
);
create index sources_of_owner on sources (owner, collection_id);

create table documents (
    document_id    uuid        primary key,
    collection_id  uuid        not null references collections on delete cascade,
    source_id      uuid,                             -- null: put by hand
    external_id    text        not null,
    title          text        not null,
    url            text,
    language       text,
    kind           text        not null,
    roles          text[]      not null,             -- empty: for all
    metadata       jsonb       not null,
    text           text        not null,
    size           int         not null,             -- bytes of the text
    content_hash   bytea       not null,             -- sha256 of the text: a value, never a key
    described      bytea       not null,             -- sha256 of all else that a source says of it
    source_version text,                             -- an etag, a commit
    version        int         not null default 1,   -- of the text
    chunker        text        not null,
    created_at     timestamptz not null default clock_timestamp(),
    updated_at     timestamptz not null default clock_timestamp(),
    indexed_at     timestamptz not null default clock_timestamp(),  -- when it was cut into chunks
    foreign key (source_id, collection_id) references sources (source_id, collection_id) on delete cascade
);
create unique index documents_key on documents
    (collection_id, external_id, (coalesce(source_id, '00000000-0000-0000-0000-000000000000'::uuid)));
create index documents_of_source on documents (source_id, external_id);
create index documents_of_kind on documents (collection_id, kind, language);
create index documents_updated on documents (collection_id, updated_at);
create index documents_metadata on documents using gin (metadata jsonb_path_ops);

-- What a document was: a citation of it can be told to be of an older text.
create table document_versions (
    document_id  uuid        not null references documents on delete cascade,
    version      int         not null,
    content_hash bytea       not null,
    replaced_at  timestamptz not null default clock_timestamp(),
    primary key (document_id, version)
);

-- Header and text of a chunk never change under one id: two indexes with the same ids hold the same.
create table chunks (
    chunk_id      bigint generated always as identity primary key,
    document_id   uuid   not null references documents on delete cascade,
    collection_id uuid   not null,                   -- that of the document
    ordinal       int    not null,
    start         int    not null check (start >= 0),
    "end"         int    not null,                   -- both in characters of documents.text
    header        text   not null,
    content_hash  bytea  not null,                   -- sha256 of header and text
    language      text,
    added_rev     bigint not null,
    check (start < "end")
);
create index chunks_of_document on chunks (document_id, chunk_id);
create index chunks_since on chunks (collection_id, added_rev, chunk_id);
create index chunks_of_content on chunks (content_hash);

create table removed_chunks (
    collection_id uuid        not null references collections on delete cascade,
    chunk_id      bigint      not null,
    added_rev     bigint      not null,
    removed_rev   bigint      not null,
    removed_at    timestamptz not null default clock_timestamp(),
    primary key (collection_id, removed_rev, chunk_id)
);

-- Vectors by what was embedded, so that nothing is embedded twice. Numbers of 16 bits as bytes, little-endian:
-- they are read as a whole and never searched here, and pgvector may be missing.
create table embeddings (
    content_hash bytea       not null,
    embedder     text        not null,
    vector       bytea       not null,
    created_at   timestamptz not null default clock_timestamp(),
    primary key (content_hash, embedder)
);

-- What people think of what was found. A mark outlives its document, and counts only for the text it was given.
create table marks (
    mark_id          uuid        primary key,
    owner            text        not null,
    user_id          text        not null,
    collection_id    uuid        not null references collections on delete cascade,
    query            jsonb       not null,           -- a text, sealed where there is `encryption`
    query_key        bytea       not null,           -- sha256 of the query, normalised
    query_terms      text[],                         -- null where there is `encryption`
    query_vector     bytea,                          -- as in embeddings
    document_id      uuid        not null,
    chunk_id         bigint,
    document_version int         not null,
    rank             int         not null check (rank >= 1),
    shown            jsonb       not null,           -- [{document_id, rank, features}]
    score            smallint    not null check (score in (-1, 1)),
    comment          jsonb,                          -- a text, sealed where there is `encryption`
    index_revision   bigint      not null,
    learned_version  int         not null,
    created_at       timestamptz not null default clock_timestamp(),
    undone_at        timestamptz
);
create unique index marks_one_each on marks (collection_id, user_id, query_key, document_id)
    where undone_at is null;
create index marks_in_time on marks (collection_id, created_at) where undone_at is null;
create index marks_of_user on marks (owner, user_id, mark_id desc);

-- What became of the documents of an import. Each is counted once.
create table document_imports (
    import_id     uuid        primary key,
    owner         text        not null,
    collection_id uuid        not null references collections on delete cascade,
    source_id     uuid        references sources on delete set null,
    state         text        not null default 'running' check (state in ('running', 'done', 'failed')),
    seen          int         not null default 0,
    added         int         not null default 0,
    updated       int         not null default 0,
    skipped       int         not null default 0,
    failed        int         not null default 0,
    deleted       int         not null default 0,    -- not seen any more, so not among them
    notes         text,
    began_at      timestamptz not null default clock_timestamp(),
    ended_at      timestamptz,
    check (seen = added + updated + skipped + failed)
);
create index document_imports_of_collection on document_imports (collection_id, import_id desc);

create table document_import_failures (
    failure_id  bigint generated always as identity primary key,
    import_id   uuid not null references document_imports on delete cascade,
    external_id text not null,
    reason      text not null
);
create index document_import_failures_of on document_import_failures (import_id, failure_id);
