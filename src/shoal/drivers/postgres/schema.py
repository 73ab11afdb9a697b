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
create table if not exists shoal.outbox (
    position bigint generated always as identity, -- without a key: only what waits is ever looked up
    id text not null,
    subject text not null,
    body bytea not null,
    headers jsonb not null,
    created_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz
);
create index if not exists outbox_unsent on shoal.outbox (position) where sent_at is null;
create table if not exists shoal.inbox (
    consumer text not null,
    message_id text not null,
    at timestamptz not null default clock_timestamp(),
    primary key (consumer, message_id)
);
create table if not exists shoal.receipts (
    key text primary key,
    fingerprint text not null,
    status integer not null,
    headers jsonb not null,
    body bytea not null,
    at timestamptz not null default clock_timestamp()
);
"""

LAST = "shoal.receipts"
"""The last of them; they are made in one transaction, so where it exists all do."""

MIGRATING = (0x53484F41, 1)
"""Advisory lock of the one process that migrates; advisory locks are local to a database."""

RELAYING = (0x53484F41, 2)
"""Advisory lock of the one process that empties the outbox."""

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
