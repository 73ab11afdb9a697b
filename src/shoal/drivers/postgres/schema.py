"""The framework's own tables, beside the service's, and the locks that guard them."""

import asyncio
import hashlib

from shoal.drivers.postgres.client import Link

TABLES = """
create schema if not exists shoal;
create table if not exists shoal.migrations (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
);
create sequence shoal.outbox_position;
create table shoal.outbox (
    position bigint not null default nextval('shoal.outbox_position'), -- no key: only what waits is ever looked up
    created_at timestamptz not null default clock_timestamp(),
    sequence bigint,
    id text not null,
    subject text not null,
    key text not null,
    body bytea not null,
    headers jsonb,
    refused text
) partition by range (created_at);
create index outbox_waiting on shoal.outbox (position) where sequence is null and refused is null;
create index outbox_refused on shoal.outbox (key) where refused is not null;
create index outbox_places on shoal.outbox using brin (position) with (autosummarize = on);
create table shoal.outbox_rest partition of shoal.outbox default;
create table shoal.stream (
    highest bigint not null,
    made text not null default ''
);
insert into shoal.stream values (0);
create function shoal.backlog(counted integer)
returns table (count bigint, age double precision, reach bigint, latest bigint, refused bigint)
language sql stable set enable_seqscan = off set enable_sort = off as $$ -- a table without statistics misleads
    with waiting as (
        select position, created_at from shoal.outbox where sequence is null and refused is null
            and key <> all(array(select key from shoal.outbox where refused is not null and key <> ''))
        order by position limit counted
    )
    select
        count(*),
        coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8,
        coalesce(max(position), 0),
        (select last_value from shoal.outbox_position),
        (select count(*) from (
            select 1 from shoal.outbox where refused is not null order by key limit counted
        ) as aside)
    from waiting
$$;
create table shoal.inbox (
    at timestamptz not null,
    consumer text not null,
    message_id text not null,
    primary key (message_id, consumer, at)
) partition by range (at);
create table shoal.inbox_rest partition of shoal.inbox default;
create table if not exists shoal.receipts (
    at timestamptz not null default clock_timestamp(),
    status integer not null,
    key text primary key,
    fingerprint text not null,
    headers jsonb not null,
    body bytea not null
);
create index receipts_at on shoal.receipts (at);
"""

ENLARGE = """
drop index shoal.outbox_unsent;
alter table shoal.outbox rename to outbox_first;
alter table shoal.outbox_first
    alter column position drop identity,
    alter column headers drop not null,
    add column sequence bigint default 0,
    add column key text not null default '',
    add column refused text;
update shoal.outbox_first set sequence = null where sent_at is null;
alter table shoal.outbox_first
    alter column sequence drop default,
    alter column key drop default,
    drop column sent_at;
alter table shoal.inbox rename to inbox_first;
alter table shoal.inbox_first
    drop constraint inbox_pkey,
    alter column at drop default;
update shoal.receipts set at = 'infinity' where key like E'seed\\n%';
"""
"""Prepares the tables of the first versions, which were not partitioned, to become the first partitions."""

CONTINUE = "select setval('shoal.outbox_position', coalesce(max(position), 0) + 1, false) from shoal.outbox"
"""Has positions go on after those of the first versions."""

_LOCKS = 0x53484F41
"""First half of the keys of our advisory locks, which are local to a database."""

MIGRATING = (_LOCKS, 1)
"""Of the one process that migrates."""

RELAYING = (_LOCKS, 2)
"""Of the one process that empties the outbox."""

TIDYING = (_LOCKS, 3)
"""Of the one process that tidies."""

STANDING_BY = (_LOCKS, 4)
"""Shared by the processes that wait to empty the outbox."""

CLAIMING = _LOCKS + 1
"""First half of the keys of locks that idempotent commands claim; the second is a hash of theirs."""

POLL_SECONDS = 0.25

TRY_LOCK = "select pg_try_advisory_lock($1::integer, $2::integer) as mine"


async def lock(link: Link, which: tuple[int, int]) -> None:
    """Wait for an advisory lock, held until the connection ends.

    It is asked for again and again: waiting for it inside the server would hold a snapshot open, and vacuum back.
    """
    while True:
        if (await link.fetch(TRY_LOCK, which))[0]["mine"]:
            return
        await asyncio.sleep(POLL_SECONDS)


def lock_key(name: str) -> int:
    """Turn a name into the key of an advisory lock that no other name has, as far as anybody will ever see."""
    return int.from_bytes(hashlib.blake2b(f"shoal {name}".encode(), digest_size=8).digest(), "big", signed=True)
