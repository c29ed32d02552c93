-- What follows when nobody answers in time, and what statistics group questions by.

alter table approvals
    add column agent        text,
    add column calls        jsonb       not null default '[]',  -- [{tool, rule, tool_call_id}]
    add column on_timeout   text        not null default 'reject'
        check (on_timeout in ('reject', 'escalate', 'park')),
    add column escalate_to  text[]      not null default '{}',  -- users who may answer once it is escalated
    add column escalated_at timestamptz,
    add column parked_at    timestamptz;

update approvals
   set calls = jsonb_build_array(jsonb_build_object('tool', tool, 'rule', null, 'tool_call_id', tool_call_id))
 where tool is not null;

create index approvals_escalated on approvals using gin (escalate_to) where escalated_at is not null;
