"""PostgreSQL: what each database does, and what its connections do, by the role of who runs the server.

Names follow OpenTelemetry's receiver of PostgreSQL where it has one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shoal.dashboard.scrape.sample import Sample
from shoal.drivers.base import Row
from shoal.drivers.postgres import client

DATABASES = """
select datname, xact_commit, xact_rollback, blks_read, blks_hit, tup_returned, tup_inserted, tup_updated, tup_deleted,
       deadlocks, temp_bytes, pg_database_size(datid) as size
from pg_stat_database where datname is not null and datname not like 'template%'
"""

ACTIVITY = """
select coalesce(datname, '') as datname, coalesce(state, 'none') as state, count(*) as count,
       count(*) filter (where wait_event_type = 'Lock') as waiting,
       coalesce(max(extract(epoch from now() - xact_start)) filter (where state <> 'idle'), 0)::float8 as longest
from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() group by 1, 2
"""

SESSIONS = """
select coalesce(datname, '') as datname, coalesce(usename, '') as usename,
       case when application_name like 'shoal%' then '' else application_name end as application, count(*) as count
from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() group by 1, 2, 3
"""
"""Who is in which database, which nobody but its owner should be; of our own connections the role says it."""

_SUMS = {
    "xact_commit": ("postgresql.commits", "1"),
    "xact_rollback": ("postgresql.rollbacks", "1"),
    "blks_read": ("postgresql.blocks.read", "{block}"),
    "blks_hit": ("postgresql.blocks.hit", "{block}"),
    "tup_returned": ("postgresql.tuples.returned", "{row}"),
    "tup_inserted": ("postgresql.tuples.inserted", "{row}"),
    "tup_updated": ("postgresql.tuples.updated", "{row}"),
    "tup_deleted": ("postgresql.tuples.deleted", "{row}"),
    "deadlocks": ("postgresql.deadlocks", "{deadlock}"),
    "temp_bytes": ("postgresql.temp_files.size", "By"),
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """One server."""

    url: str = field(repr=False)
    engine: str = "postgresql"
    name: str = "postgres"

    async def ask(self) -> list[Sample]:
        """Ask its statistics, over a connection that is closed again."""
        link = await client.connect(self.url, {"application_name": "shoal dashboard"}, seconds=2.0)
        try:
            return [
                *of_databases(await link.fetch(DATABASES)),
                *of_activity(await link.fetch(ACTIVITY)),
                *of_sessions(await link.fetch(SESSIONS)),
            ]
        finally:
            link.abort()


def of_databases(rows: Sequence[Row]) -> Iterator[Sample]:
    """Read ``pg_stat_database``."""
    for row in rows:
        said = {"db.namespace": str(row["datname"])}
        for column, (name, unit) in _SUMS.items():
            yield Sample(name, float(str(row[column])), "sum", unit, said)
        yield Sample("postgresql.db_size", float(str(row["size"])), "gauge", "By", said)


def of_activity(rows: Sequence[Row]) -> Iterator[Sample]:
    """Read ``pg_stat_activity``."""
    for row in rows:
        said = {"db.namespace": str(row["datname"]), "postgresql.state": str(row["state"])}
        yield Sample("postgresql.backends", float(str(row["count"])), "gauge", "{connection}", said)
        yield Sample("postgresql.backends.waiting", float(str(row["waiting"])), "gauge", "{connection}", said)
        yield Sample("postgresql.transaction.longest", float(str(row["longest"])), "gauge", "s", said)


def of_sessions(rows: Sequence[Row]) -> Iterator[Sample]:
    """Read who is there: databases, the roles that have sessions in them, and the programs where they say so."""
    for row in rows:
        said = {"db.namespace": str(row["datname"]), "postgresql.role": str(row["usename"])}
        said |= {"postgresql.application": str(row["application"])} if row["application"] else {}
        yield Sample("postgresql.sessions", float(str(row["count"])), "gauge", "{connection}", said)
