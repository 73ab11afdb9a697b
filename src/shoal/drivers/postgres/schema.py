"""The framework's own tables, beside the service's, and the locks that guard them."""

import asyncio

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
create table shoal.outbox_rest partition of shoal.outbox default;
create index outbox_waiting on shoal.outbox (position) where sequence is null and refused is null;
create table shoal.inbox (
    at timestamptz not null,
    consumer text not null,
    message_id text not null,
    primary key (message_id, consumer, at)
) partition by range (at);
create table shoal.inbox_rest partition of shoal.inbox default;
create table shoal.receipts (
    at timestamptz not null default clock_timestamp(),
    status integer not null,
    key text primary key,
    fingerprint text not null,
    headers jsonb not null,
    body bytea not null
);
"""

LAST = "shoal.receipts"
"""The last of them; they are made in one transaction, so where it exists all do."""

_LOCKS = 0x53484F41
"""First half of the keys of our advisory locks, which are local to a database."""

MIGRATING = (_LOCKS, 1)
"""Of the one process that migrates."""

RELAYING = (_LOCKS, 2)
"""Of the one process that empties the outbox."""

CLAIMING = _LOCKS + 1
"""First half of the keys of locks that idempotent commands claim; the second is a hash of theirs."""

LEASING = _LOCKS + 2
"""First half of the keys of leases; the second is a hash of their names."""

POLL_SECONDS = 0.25


async def lock(link: Link, which: tuple[int, int]) -> None:
    """Wait for an advisory lock, held until the connection ends.

    It is asked for again and again: waiting for it inside the server would hold a snapshot open, and vacuum back.
    """
    while True:
        rows = await link.fetch("select pg_try_advisory_lock($1::integer, $2::integer) as mine", which)
        if rows[0]["mine"]:
            return
        await asyncio.sleep(POLL_SECONDS)
