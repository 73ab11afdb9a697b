"""The rules of queries where their pages end: which reads grow with a table, and which only look so."""

from pathlib import Path

import pytest

from shoal.check.finding import Reported
from tests.check.projects import report_of

SYSTEM = """\
import msgspec

from shoal import Postgres, ReadReplica, Service, System, Transaction, internal, record

shop = Service("shop", store=Postgres(sql=True))


@record("goods", key="sku")
class Good(msgspec.Struct, frozen=True):
    sku: str
    name: str
    shelf: str


async def all_of(tx: Transaction) -> list[Good]:
    return await tx.find(Good)


@shop.get("/goods", access=internal)
async def goods(name: str, tx: Transaction, replica: ReadReplica) -> list[Good]:
{body}


system = System("shop", services=[shop])
EVERY = "select * from goods"


async def one_of(sku: str, tx: Transaction) -> Good:
    return await tx.require(Good, sku)
"""
TABLE = "CREATE TABLE goods (sku text PRIMARY KEY, name text, shelf text);\n"


def asked(root: Path, code: str, *body: str, sql: str = TABLE) -> list[Reported]:
    """List what a rule finds in a handler that does this."""
    text = SYSTEM.format(body="\n".join(f"    {line}" for line in body))
    return list(report_of(root, {"system.py": text, "migrations/001_goods.sql": sql}, code).findings)


WHOLE = {
    "return await tx.find(Good, limit=None)": "every Good is read",
    "return await tx.find(Good, None, order=['name'])": "every Good is read",
    "return await replica.find(Good, {})": "every Good is read",
    "return await all_of(tx)": "every Good is read",
    "return await tx.fetch(Good, 'select * from public.goods -- where\\n')": "every row of goods",
    "return await replica.fetch(Good, 'SELECT upper(name) AS sku FROM goods')": "every row of goods is read",
    "query = 'select * from goods'; return await tx.fetch(Good, query)": "every row of goods is read",
    "return await tx.fetch(Good, EVERY)": "every row of goods is read",
}
BOUNDED = (
    "return await tx.find(Good, limit=10)",
    "return await tx.find(Good, {'name': name})",
    "own = {}; own['name'] = name; return await tx.find(Good, own)",
    "return await tx.find(Good, where(name))",
    "return await tx.find(*[Good])",
    "return await tx.find(Good, **{'limit': 3})",
    "await tx.count(Good)",
    "return await tx.fetch(Good, 'select * from goods where name = $1', name)",
    "return await tx.fetch(Good, 'select * from goods limit 10')",
    "return await tx.fetch(Good, 'select count(*) as sku from goods')",
    "return await tx.fetch(Good, name)",
    "query = 'select * from goods'; query += ' limit 3'; return await tx.fetch(Good, query)",
    "return await tx.fetch(Good, \"select 'from goods' as sku\")",
    "return await tx.fetch(Good, 'select * from (select * from goods where name is null) as some')",
)
UNFOUND = (
    ("return await tx.find(Good, {'name': name})", "Good is looked for by name, and no index of goods begins with it"),
    ("await replica.count(Good, {'name': name})", "Good is looked for by name, and no index of goods begins with it"),
    ("own = {'shelf': 'A', 'name': name}; return await tx.find(Good, own)", "by name and shelf, and no index of goods"),
)
FOUND = (
    "return await tx.find(Good, {'sku': (name, 'B')})",
    "return await tx.find(Good, {'sku': name, 'name': name})",
    "return await tx.find(Good, {name: name})",
    "own = {'name': name}; own.pop('name'); return await tx.find(Good, own)",
    "return await tx.find(Good, limit=3)",
)
INDEXES = (
    "CREATE INDEX some ON goods (name);",
    "CREATE INDEX some ON goods USING btree (name DESC, shelf);",
    "ALTER TABLE goods ADD COLUMN name_find text UNIQUE;",
    "ALTER TABLE goods ADD CONSTRAINT one UNIQUE (name, shelf);",
    "ALTER TABLE goods RENAME TO wares;",
)
OTHERS = (
    "CREATE INDEX some ON goods (shelf, name);",
    "CREATE INDEX some ON goods (lower(name));",
    "CREATE INDEX some ON goods (name) WHERE shelf IS NULL;",
    "CREATE INDEX some ON wares (name);",
    "-- CREATE INDEX some ON goods (name);",
)


@pytest.mark.parametrize("body", WHOLE)
def test_what_grows_with_its_table_is_found(body: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH208", body)
    assert finding.message.startswith(WHOLE[body])
    assert finding.where.line == (16 if "all_of" in body else 21)


@pytest.mark.parametrize("body", BOUNDED)
def test_what_is_bounded_or_unknown_is_not_found(body: str, tmp_path: Path) -> None:
    assert [finding.message for finding in asked(tmp_path, "SH208", body)] == []


def test_one_place_is_found_once_however_many_lead_to_it(tmp_path: Path) -> None:
    one = "    return await all_of(tx)"
    body = f"{one}\n\n\n@shop.get('/more', access=internal)\nasync def more(tx: Transaction) -> list[Good]:\n{one}"
    files = {"system.py": SYSTEM.format(body=body), "migrations/001_goods.sql": TABLE}
    assert [finding.where.line for finding in report_of(tmp_path, files, "SH208").findings] == [16]


@pytest.mark.parametrize(("body", "said"), UNFOUND)
def test_what_no_index_serves_is_found(body: str, said: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH209", body)
    assert said in finding.message
    assert finding.where.line == 21
    assert finding.help.startswith("CREATE INDEX IF NOT EXISTS goods_by_name ON goods (name")
    made = finding.help.partition(" in a migration")[0]
    files = {"system.py": SYSTEM.format(body=f"    {body}"), "migrations/001_goods.sql": TABLE}
    mended = {**files, "migrations/002_found.sql": f"{made};\n"}
    assert report_of(tmp_path / "mended", mended, "SH209", "SH210").findings == (), "and leads to nothing else"


@pytest.mark.parametrize("body", FOUND)
def test_what_an_index_serves_or_nobody_can_read_is_not_found(body: str, tmp_path: Path) -> None:
    assert [finding.message for finding in asked(tmp_path, "SH209", body)] == []


@pytest.mark.parametrize("index", INDEXES)
def test_indexes_that_serve(index: str, tmp_path: Path) -> None:
    assert asked(tmp_path, "SH209", UNFOUND[0][0], sql=TABLE + index) == []


@pytest.mark.parametrize("index", OTHERS)
def test_indexes_that_do_not_serve(index: str, tmp_path: Path) -> None:
    assert len(asked(tmp_path, "SH209", UNFOUND[0][0], sql=TABLE + index)) == 1


def test_what_the_help_says_helps(tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH209", UNFOUND[0][0])
    index = finding.help.partition(" in a migration")[0]
    assert asked(tmp_path, "SH209", UNFOUND[0][0], sql=f"{TABLE}{index};") == []


LOOPED = {
    "return [await tx.require(Good, each) for each in name]": 'tx.find(Good, {"sku": tuple(...)})',
    "return [await tx.find(Good, {'shelf': each}, limit=3) for each in name][0]": "a tuple in its condition",
    "return [await tx.fetch(Good, 'select 1', each) for each in name][0]": "WHERE ... = ANY($1)",
    "return [await one_of(each, tx) for each in name]": 'tx.find(Good, {"sku": tuple(...)})',
}
ONCE = (
    "return [good for good in await tx.find(Good, limit=9)]",
    "return [await tx.require(Good, each, lock=True) for each in name]",
    "return [await one_of(name, tx)]",
    "for each in name: tx.put(Good(each, each, each))",
)


@pytest.mark.parametrize("body", LOOPED)
def test_what_is_asked_for_in_each_round_is_found(body: str, tmp_path: Path) -> None:
    (finding,) = asked(tmp_path, "SH212", body)
    assert (finding.message, LOOPED[body] in finding.help) == ("Good is asked for in each round of a loop", True)


@pytest.mark.parametrize("body", ONCE)
def test_what_is_asked_for_once_or_locked_one_by_one_is_not(body: str, tmp_path: Path) -> None:
    assert asked(tmp_path, "SH212", body) == []
