-- The audit log: every tool call, verdict, answer and effect. It outlives threads and runs: no foreign keys.

-- Where each owner's chain ends; whoever adds to it holds this row, so `seq` has no gaps.
create table audit_heads (
    owner text   primary key,
    seq   bigint not null default 0,
    hash  bytea  not null default sha256('')  -- what the first entry follows
);

create table audit (
    owner      text        not null,
    seq        bigint      not null,
    written_at timestamptz not null,
    entry      json        not null,  -- canonical, and kept letter by letter: not jsonb
    prev_hash  bytea       not null,
    hash       bytea       not null,  -- sha256 of {"entry", "prev_hash", "seq", "written_at"}, canonical
    primary key (owner, seq),
    check (entry ->> 'owner' = owner)
);
create unique index audit_by_id on audit ((entry ->> 'id'));  -- a write sent twice is one entry
create index audit_of_thread on audit ((entry ->> 'thread_id'), seq desc);
create index audit_cuts on audit (owner, seq) where entry ->> 'kind' = 'cut';

-- Adds entries in their order, each linked to the one before; those that are there already it leaves out.
-- Owners are taken in order, so that two who add to several chains never wait for each other.
create function artel_audit(owners text[], entries text[]) returns void language plpgsql as $$
declare
    whose  text;
    said   text;
    head   audit_heads;
    before bytea;
    moment timestamptz;
begin
    for whose in select distinct o from unnest(owners) o order by o loop
        insert into audit_heads (owner) values (whose) on conflict do nothing;
        select h.* into head from audit_heads h where h.owner = whose for update;
        for said in
            select e from unnest(owners, entries) with ordinality as given (o, e, n) where o = whose order by n
        loop
            continue when exists (select 1 from audit a where a.entry ->> 'id' = said::json ->> 'id');
            moment := clock_timestamp();
            before := head.hash;
            head.seq := head.seq + 1;
            head.hash := sha256(convert_to(
                '{"entry":' || said || ',"prev_hash":"' || encode(before, 'hex') || '","seq":' || head.seq
                || ',"written_at":"' || to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                || '"}', 'UTF8'));
            insert into audit (owner, seq, written_at, entry, prev_hash, hash)
            values (whose, head.seq, moment, said::json, before, head.hash);
        end loop;
        update audit_heads h set seq = head.seq, hash = head.hash where h.owner = whose;
    end loop;
end $$;

-- What belongs to a larger transaction is added by its commit: a process that stands still in one holds up nobody.
create unlogged table audit_at_commit (  -- empty but within a transaction
    owner text not null,
    entry text not null
);
create function artel_audit_now() returns trigger language plpgsql as $$
begin
    perform artel_audit(array[new.owner], array[new.entry]);
    delete from audit_at_commit where owner = new.owner and entry = new.entry;
    return null;
end $$;
create constraint trigger audit_now after insert on audit_at_commit deferrable initially deferred
    for each row execute function artel_audit_now();

-- Refuses every change; only what a later entry of the kind `cut` has signed off may go.
create function artel_audit_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if exists (select 1 from audit a
                    where a.owner = old.owner and a.entry ->> 'kind' = 'cut' and a.seq > old.seq
                      and (a.entry #>> '{cut,seq}')::bigint >= old.seq) then
            return old;
        end if;
    end if;
    raise exception 'the audit log is only added to: % is refused', lower(tg_op) using errcode = 'AR002';
end $$;
create trigger audit_stays before update or delete on audit for each row execute function artel_audit_stays();
create trigger audit_stays_whole before truncate on audit execute function artel_audit_stays();
