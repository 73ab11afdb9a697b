"""Locks as SQL. Whoever locks several rows does so in the order of their names, so nobody waits in a ring."""

from functools import lru_cache

from shoal.drivers.postgres.documents import layout
from shoal.drivers.postgres.documents.layout import LOCKS

TAKE = f"""
with taken as (
    insert into {LOCKS} as l (name, owner, until) values ($1, $2, clock_timestamp() + make_interval(secs => $3))
    on conflict (name) do update set owner = excluded.owner, until = excluded.until
    where l.owner = excluded.owner or l.until <= clock_timestamp()
    returning owner
)
select owner from taken union all select owner from {LOCKS} where name = $1 and not exists (select from taken) limit 1
"""  # noqa: S608

RENEW = f"""
with mine as (select name from {LOCKS} where owner = any($1) order by name for no key update)
update {LOCKS} as l set until = clock_timestamp() + make_interval(secs => $2) from mine where l.name = mine.name
returning l.name
"""  # noqa: S608

FORGET = f"""
delete from {LOCKS} where name in (
    select name from {LOCKS} where until < clock_timestamp() - make_interval(secs => $1)
    order by name for update skip locked
)
"""  # noqa: S608

RELEASE = f"""
delete from {LOCKS} where name in (
    select name from {LOCKS} where owner = $1 and ($2::text[] is null or name = any($2)) order by name for update
)
"""  # noqa: S608

HOLDERS = f"select name, owner from {LOCKS} where name = any($1) and until > clock_timestamp()"  # noqa: S608

BEGINNING = f"select name, owner from {LOCKS} where name >= $1 and name < $2 and until > clock_timestamp()"  # noqa: S608


@lru_cache
def drawing(counter: str) -> str:
    """Draw some numbers, and say the first and the last."""
    name, _ = layout.counter(counter)
    drawn = layout.quoted(name).replace("'", "''")
    return (
        f"select min(n) as first, max(n) as last from "  # noqa: S608
        f"(select nextval('{layout.SCHEMA}.{drawn}') as n from generate_series(1, $1::bigint)) as drawn"
    )
