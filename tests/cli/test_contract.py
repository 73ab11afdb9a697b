"""``shoal contract`` on a project in a folder: locked, changed, refused with the names of those it would break."""

import json
from pathlib import Path

import pytest

from tests.cli.run import Run

SYSTEM = """
import msgspec
from shoal import Postgres, Service, System, Transaction, anyone, event, upcast

{events}

class Answer(msgspec.Struct):
    total: int
    {field}

shop = Service("shop", store=Postgres(), publishes=[{publishes}])
desk = Service("desk", store=Postgres())

@shop.get("/sales", access=anyone)
async def sales() -> Answer:
    ...

{handlers}

system = System("small", services=[shop, desk])
"""
V1 = """
@event("shop.sold", key="item", failure={failure})
class Sold(msgspec.Struct):
    item: str
    {fields}
"""
V2 = """
@event("shop.sold", version=2, key="item")
class Sold2(msgspec.Struct):
    item: str
    price: str

@upcast
def to_v2(old: Sold) -> Sold2:
    return Sold2(item=old.item, price=str(old.amount))
"""
HANDLER = """
@desk.on(Sold)
async def count(event: Sold, tx: Transaction) -> None: ...
"""
HANDLER2 = """
@desk.on(Sold2, upcasters=[to_v2])
async def count(event: Sold2, tx: Transaction) -> None: ...
"""


def first(fields: str = "amount: int", failure: str = "False") -> str:
    return V1.format(fields=fields, failure=failure)


def declare(
    folder: Path, events: str = "", *, field: str = "", publishes: str = "Sold", handlers: str = HANDLER
) -> None:
    text = SYSTEM.format(events=events or first(), field=field, publishes=publishes, handlers=handlers)
    (folder / "system.py").write_text(text)


@pytest.fixture(name="locked")
def _locked(run: Run, tmp_path: Path) -> Path:
    declare(tmp_path)
    assert run("contract", "lock")[0] == 0
    return tmp_path


def contracts(folder: Path) -> dict[str, str]:
    root = folder / "contracts"
    return {p.relative_to(root).as_posix(): p.read_text() for p in sorted(root.rglob("*.*")) if p.is_file()}


def test_locking_writes_a_file_for_each_contract(locked: Path, run: Run) -> None:
    assert list(contracts(locked)) == [".shoal-files", "shop/events/sold.v1.json", "shop/http.json"]
    before = contracts(locked)
    code, out, err = run("contract", "lock")
    assert (code, out, contracts(locked)) == (0, "", before)
    assert err == "2 contracts, 0 files changed\n"


def test_without_changes_there_is_nothing_to_say(locked: Path, run: Run) -> None:
    assert run("contract", "diff", "--locked") == (0, "", "nothing has changed\n")


def test_a_breaking_change_is_named_with_line_and_consumers(locked: Path, run: Run) -> None:
    declare(locked, first("amount: str"))
    code, out, err = run("contract", "diff")
    assert code == 1
    assert "shop: shop.sold.v1\n  breaks  $.amount: values of another type may come (integer → string)" in out
    assert "system.py:6\n          for desk.count (system.py:" in out
    assert err == "1 change, 1 breaking\n"


def test_a_breaking_change_of_an_answer_names_clients_outside(locked: Path, run: Run) -> None:
    text = (locked / "system.py").read_text()
    (locked / "system.py").write_text(text.replace("total: int", "total: int | None"))
    code, out, _ = run("contract", "diff")
    assert code == 1
    assert "shop: GET /sales\n  breaks  answer $.total: values that were unknown may come (integer → " in out
    assert "for clients outside" in out


def test_machines_read_the_same(locked: Path, run: Run) -> None:
    declare(locked, first("amount: str"))
    code, out, _ = run("contract", "diff", "-o", "json")
    (change,) = json.loads(out)
    assert code == 1
    assert (change["contract"], change["path"], change["rule"]) == ("shop.sold.v1", "$.amount", "type")
    assert (change["old"], change["new"], change["where"]) == ("integer", "string", "system.py:6")
    assert change["breaks"][0].startswith("desk.count (system.py:")


def test_a_harmless_change_is_told_and_locked(locked: Path, run: Run) -> None:
    declare(locked, field="count: int")
    code, out, _ = run("contract", "diff")
    assert code == 0
    assert "ok      answer $.count: changed, and callers stay able" in out
    assert run("contract", "diff", "--locked")[0] == 1
    code, out, _ = run("contract", "lock")
    assert (code, out) == (0, "changed  contracts/shop/http.json\n")
    assert run("contract", "diff", "--locked")[0] == 0


def test_what_only_the_file_shows_makes_it_stale(locked: Path, run: Run) -> None:
    declare(locked, first(failure="True"))
    assert run("contract", "diff") == (0, "", "nothing has changed\n")
    code, _, err = run("contract", "diff", "--locked")
    assert code == 1
    assert "error: out of date: contracts/shop/events/sold.v1.json\nhint: shoal contract lock" in err


def test_locking_refuses_a_breaking_change_and_writes_nothing(locked: Path, run: Run) -> None:
    before = contracts(locked)
    declare(locked, first("amount: str"), field="count: int")
    code, out, err = run("contract", "lock")
    assert code == 1
    assert "breaks  $.amount" in out
    assert "error: not locked, because 1 of the changes is breaking\nhint: declare a new version" in err
    assert contracts(locked) == before


def test_a_new_version_is_the_way_and_the_old_schema_stays_while_it_is_read(locked: Path, run: Run) -> None:
    declare(locked, first() + V2, publishes="Sold2", handlers=HANDLER2)
    code, out, _ = run("contract", "lock")
    assert (code, out) == (0, "added    contracts/shop/events/sold.v2.json\n")
    assert "shop/events/sold.v1.json" in contracts(locked)
    declare(locked, first() + V2, publishes="Sold2", handlers=HANDLER2.replace("upcasters=[to_v2]", ""))
    code, out, _ = run("contract", "diff")
    assert code == 0
    assert "shop.sold.v2 has taken its place" in out
    assert run("contract", "lock")[1] == "removed  contracts/shop/events/sold.v1.json\n"


def test_a_reason_locks_a_breaking_change_and_is_kept(locked: Path, run: Run) -> None:
    declare(locked, first("amount: str"))
    assert run("contract", "lock", "--breaking", "  ")[0] == 2
    assert run("contract", "lock", "--breaking", "Nobody\nreads it.")[0] == 0
    assert run("contract", "diff", "--locked")[0] == 0
    declare(locked, first("amount: bool"))
    assert run("contract", "lock", "--breaking", "Still nobody.")[0] == 0
    assert run("contract", "lock")[0] == 0
    assert contracts(locked)["breaking.md"] == (
        "# Breaking changes that were locked, and why\n"
        "\n## Nobody reads it.\n\n"
        "- shop: shop.sold.v1: $.amount: values of another type may come (integer → string)\n"
        "\n## Still nobody.\n\n"
        "- shop: shop.sold.v1: $.amount: values of another type may come (string → boolean)\n"
    )


def test_quietly_only_what_is_wrong_is_said(locked: Path, run: Run) -> None:
    assert run("-q", "contract", "diff", "--locked") == (0, "", "")
    declare(locked, field="count: int")
    assert run("-q", "contract", "diff") == (0, "", "")
    declare(locked, first("amount: str"), field="count: int")
    code, out, err = run("-q", "contract", "diff")
    assert (code, err) == (1, "")
    assert out.startswith("shop: shop.sold.v1\n  breaks  $.amount")
    assert "$.count" not in out


def test_a_damaged_file_is_named(locked: Path, run: Run) -> None:
    (locked / "contracts" / "shop" / "http.json").write_text("<<<<<<< ours")
    code, _, err = run("contract", "diff")
    assert code == 1
    assert "error: cannot read the contract shop/http.json" in err
    assert "hint: restore it from version control" in err


def test_before_the_first_lock_everything_is_new(run: Run, tmp_path: Path) -> None:
    declare(tmp_path)
    code, out, err = run("contract", "diff")
    assert code == 0
    assert out.count("is new") == 2
    assert err == "2 changes, 0 breaking\n"
    assert run("contract", "diff", "--locked")[0] == 1


def test_the_flow_is_shown(run: Run, tmp_path: Path) -> None:
    declare(tmp_path, first(failure="True"))
    code, out, _ = run("describe", "--flow")
    assert code == 0
    assert "shop.sold.v1  failure  begins here  system.py:6\n  desk.count, and there it ends\n" in out
    assert "shop.sold.v1: handled by desk.count" in out
    found = json.loads(run("describe", "--flow", "-o", "json")[1])
    assert found["failures"][0]["heard"] == ["desk.count"]
