"""The rules of migrations where their pages end: what locks, what breaks, and what only looks so."""

from pathlib import Path

import pytest

from tests.check.rules.migrated import migrated

LOCKS = {
    "create unique index on goods (name)": "nobody writes to goods until its index is built",
    "create index on only public.goods (name)": "nobody writes to goods until its index is built",
    'CREATE INDEX i ON "goods" (name)': "nobody writes to goods until its index is built",
    "alter table goods add column code text unique": "nobody reads or writes goods until the index of code is built",
    "alter table goods add unique (name)": "nobody reads or writes goods until the index of the constraint is built",
    "alter table only goods add constraint light check (weight < 9)": "nobody writes to goods until all its rows",
    "alter table goods add foreign key (sku) references bins": "nobody writes to goods until all its rows",
    "alter table goods add id bigserial": "goods is written anew, since id has a value of its own in each row",
    "alter table goods add id uuid default gen_random_uuid()": "goods is written anew, since id has a value",
    "alter table goods add n int generated always as (weight * 2) stored": "goods is written anew, since n has",
    "alter table goods alter weight type bigint": "goods is written anew, since weight gets another type",
    "alter table goods alter column name set data type varchar(9)": "goods is written anew, since name gets",
    "alter table goods alter weight set not null": "nobody reads or writes goods until weight has been looked at",
    "update goods set weight = 1": "every row of goods is changed in one transaction",
    "delete from goods": "every row of goods is removed in one transaction",
    "create index concurrently on goods (name)": "a migration is a transaction, in which CONCURRENTLY is refused",
    "vacuum full goods": "a migration is a transaction, in which VACUUM is refused",
}
QUICK = (
    "create table more (id int); create index on more (id); alter table more alter id type bigint",
    "create index if not exists goods_name on goods (name)",
    "alter table goods add column code text not null default 'none'",
    "alter table goods add at timestamptz default now()",
    "alter table goods alter sku type text",
    "alter table goods alter weight set default 3, alter weight drop default",
    "alter table goods add constraint light check (weight < 9) not valid",
    "alter table goods add constraint named unique using index goods_name",
    "update goods set weight = 1 where weight is null",
    "alter table elsewhere alter weight type bigint",
    "-- create index on goods (name);\n/* vacuum goods; */ select 'vacuum; delete from goods'",
    "create function f() returns void as $body$ begin delete from goods; end $body$ language plpgsql",
)
BREAKS = {
    "drop table if exists goods, bins": ["the table goods is dropped", "the table bins is dropped"],
    "alter table goods drop column name": ["the column goods.name is dropped"],
    "alter table goods drop name, drop weight": [
        "the column goods.name is dropped",
        "the column goods.weight is dropped",
    ],
    "alter table goods rename to wares": ["the table goods gets another name"],
    "alter table goods rename weight to mass": ["the column goods.weight gets another name"],
    "alter table goods add code text not null": ["goods.code must be filled, and older versions do not know it"],
}
KEEPS = (
    "create table more (id int); alter table more add n int not null; alter table more rename to some; drop table some",
    "alter table goods rename to wares; create or replace view goods as select * from wares",
    "alter table goods add code text not null default 'none', add id bigserial not null, add note text",
    "alter table goods drop constraint goods_pkey",
    "alter index goods_pkey rename to wares_pkey",
    "drop table if exists elsewhere",
    "alter table goods alter weight drop not null",
)


@pytest.mark.parametrize("statement", LOCKS)
def test_what_goes_through_a_whole_table_is_found(statement: str, tmp_path: Path) -> None:
    (finding,) = migrated(tmp_path, "SH210", f"select 1;\n{statement};\n")
    assert finding.message.startswith(LOCKS[statement])
    assert str(finding.where).startswith("migrations/002_step.sql:2:")
    assert finding.help


@pytest.mark.parametrize("text", QUICK)
def test_what_is_quick_is_not_found(text: str, tmp_path: Path) -> None:
    assert [finding.message for finding in migrated(tmp_path, "SH210", text)] == []


@pytest.mark.parametrize("statement", BREAKS)
def test_what_older_versions_need_is_found(statement: str, tmp_path: Path) -> None:
    found = migrated(tmp_path, "SH211", f"select 1;\n{statement}")
    assert sorted(finding.message for finding in found) == sorted(BREAKS[statement])
    assert {finding.where.line for finding in found} == {2}


@pytest.mark.parametrize("text", KEEPS)
def test_what_older_versions_do_not_miss_is_not_found(text: str, tmp_path: Path) -> None:
    assert [finding.message for finding in migrated(tmp_path, "SH211", text)] == []


def test_what_fails_where_there_are_rows_is_an_error(tmp_path: Path) -> None:
    (finding,) = migrated(tmp_path, "SH211", "alter table goods add code text not null")
    assert finding.severity == "error"
    assert "the migration itself fails" in finding.impact


def test_the_tables_follow_the_migrations(tmp_path: Path) -> None:
    renaming = "alter table goods rename to wares;\nalter table wares rename weight to mass"
    found = migrated(tmp_path, "SH210", renaming, "create index on wares (mass)", "create index on goods (mass)")
    assert [str(finding.where) for finding in found] == ["migrations/003_step.sql:1:1"]


def test_a_column_that_is_proven_full_may_be_said_to_be(tmp_path: Path) -> None:
    proof = "alter table goods add check (weight is not null) not valid"
    assert migrated(tmp_path, "SH210", proof, "alter table goods alter weight set not null") == []


def test_what_has_run_everywhere_is_not_looked_at(tmp_path: Path) -> None:
    settings = "[tool.shoal.check.options.SH210]\napplied = { shop = 2 }\n"
    found = migrated(tmp_path, "SH210", "delete from goods", "delete from bins", settings=settings)
    assert [finding.message for finding in found] == ["every row of bins is removed in one transaction"]
