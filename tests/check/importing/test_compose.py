"""What files of Compose tell: who uses which database, who calls whom, and where that is said."""

from pathlib import Path

import pytest

from tests.check.projects import found, report_of


def places(root: Path, code: str, **files: str) -> list[str]:
    named = {name.replace("_dot_", "."): text for name, text in files.items()}
    report = report_of(root, {"compose.yaml": "", **named}, code)
    assert code in report.asked
    return [place for of, place in found(report) if of == code]


SHARED = """\
services:
  orders:
    image: acme/orders
    environment:
      DATABASE_URL: ORDERS
  prices:
    image: acme/prices
    environment:
      - PLACE=PRICES
      - DB_NAME=NAMED
  db:
    image: postgres:18
"""


@pytest.mark.parametrize(
    ("orders", "prices", "named", "severity"),
    [
        ("postgres://me:secret@db:5432/shop", "jdbc:postgresql://db/shop?ssl=true", "", "error"),
        ("Server=db;Database=shop;User Id=me", "postgresql+asyncpg://db/shop", "", "error"),
        ("postgres://db/shop", "db:5432", "shop", "error"),  # its name is said beside its host
        ("postgres://db/shop", "postgres://${HOST:-db}/${NAME-shop}", "", "error"),
        ("postgres://${ME}:${PASSWORD:?say it}@db/shop", "postgres://$ME@db/shop", "", "error"),
        ("postgres://db/${A}", "postgres://db/${B}", "", "warning"),
        ("postgres://db.example/shop", "postgres://db.example/shop", "", "error"),  # outside of all files
        ("db:5432", "postgres://db/", "", "warning"),
        ("postgres://db/shop", "postgres://db/prices", "", None),
        ("postgres://db/shop", "postgres://db/", "", None),  # unknown is not the same
        ("postgres://db/shop", "postgres://other/shop", "", None),
        ("postgres://db/shop", "postgres://$UNKNOWN/shop", "", None),
        ("a text that mentions db", "db", "", None),
    ],
)
def test_databases_that_services_share(
    tmp_path: Path, orders: str, prices: str, named: str, severity: str | None
) -> None:
    text = SHARED.replace("ORDERS", orders).replace("PRICES", prices).replace("NAMED", named)
    report = report_of(tmp_path, {"compose.yaml": text}, "SH201")
    shared = [(f.severity, f"{f.where.file}:{f.where.line}", f.notes[0].where.line) for f in report.findings]
    assert shared == ([(severity, "compose.yaml:5", 9)] if severity else [])


def test_what_waits_for_a_store_may_use_it_where_it_is_told_no_address(tmp_path: Path) -> None:
    waiting = "services:\n  a:\n    image: a\n    depends_on: [db]\n  b:\n    image: b\n    depends_on: {db: {}}\n"
    store = "  db:\n    image: postgres:18\n"
    report = report_of(tmp_path, {"compose.yaml": waiting + store}, "SH201")
    assert [(f.severity, f.where.line, f.notes[0].where.line) for f in report.findings] == [("info", 4, 7)]
    told = waiting.replace("image: b\n", "image: b\n    environment: {PRICES_URL: 'http://a'}\n")
    assert report_of(tmp_path, {"compose.yaml": told + store}, "SH201").findings == ()


def test_what_shares_a_database_is_said(tmp_path: Path) -> None:
    text = SHARED.replace("ORDERS", "postgres://db/shop").replace("PRICES", "postgres://db/shop")
    (finding,) = report_of(tmp_path, {"compose.yaml": text}, "SH201").findings
    assert finding.message == "orders and prices use the database shop of db"
    assert finding.notes[0].text == "prices leads there, too"


def test_programs_of_one_image_are_one_service(tmp_path: Path) -> None:
    text = SHARED.replace("ORDERS", "postgres://db/shop").replace("PRICES", "postgres://db/shop")
    assert places(tmp_path, "SH201", **{"compose.yaml": text.replace("acme/prices", "acme/orders")}) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (".", ".", True),
        (".", "{context: .}", True),
        ("{context: ., target: web}", "{context: ., target: worker}", False),
        ("{context: ., dockerfile: a}", "{context: ., dockerfile: b}", False),
        ("{context: ., args: {PART: a}}", "{context: ., args: [PART=b]}", False),
        ("{context: ., args: {PART: a}}", "{context: ., args: [PART=a]}", True),
        ("./orders", "./prices", False),
    ],
)
def test_programs_that_are_built_alike_are_one_service(tmp_path: Path, one: str, other: str, same: bool) -> None:
    text = SHARED.replace("ORDERS", "postgres://db/shop").replace("PRICES", "postgres://db/shop")
    text = text.replace("image: acme/orders", f"build: {one}").replace("image: acme/prices", f"build: {other}")
    assert places(tmp_path, "SH201", **{"compose.yaml": text}) == ([] if same else ["compose.yaml:5"])


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("PRICES_URL", True),
        ("CORS_ALLOWED_ORIGINS", False),
        ("ORIGIN", False),
        ("OAUTH_REDIRECT_URL", False),
        ("CallBackUrl", False),
        ("ALLOWED_HOSTS", False),
        ("NO_PROXY", False),
    ],
)
def test_an_address_of_those_who_ask_is_no_call(tmp_path: Path, name: str, asked: bool) -> None:
    text = CIRCLE.replace("PRICES: http://prices:80/api", f"{name}: http://prices:80").replace("${STOCK}", "stock")
    assert places(tmp_path, "SH102", **{"compose.yaml": text}) == (["compose.yaml:5"] if asked else [])


CIRCLE = """\
services:
  orders:
    image: acme/orders
    environment:
      PRICES: http://prices:80/api
  prices:
    image: acme/prices
    environment:
      - STOCK_HOST=${STOCK}
  stock:
    image: acme/stock
    command: ["serve", "--orders=http://orders"]
"""


def test_services_that_call_each_other_in_a_circle(tmp_path: Path) -> None:
    report = report_of(tmp_path, {"compose.yaml": CIRCLE, ".env": 'STOCK="stock"  # who has it\n'}, "SH102")
    (finding,) = report.findings
    assert f"{finding.where.file}:{finding.where.line}" == "compose.yaml:5"
    assert finding.message == "services call each other in a circle: orders → prices → stock → orders"
    assert [(note.where.line, note.text) for note in finding.notes] == [
        (9, "prices calls stock"),
        (12, "stock calls orders"),
    ]


def test_a_variable_that_nobody_sets_leads_nowhere(tmp_path: Path) -> None:
    assert places(tmp_path, "SH102", **{"compose.yaml": CIRCLE}) == []


def test_a_comment_lets_a_finding_pass(tmp_path: Path) -> None:
    text = CIRCLE.replace("80/api", "80/api  # shoal: ignore[SH102] they are to become one")
    report = report_of(tmp_path, {"compose.yaml": text, ".env": "STOCK=stock"}, "SH102")
    assert report.findings == ()
    assert [finding.reason for finding in report.ignored] == ["they are to become one"]


def test_one_service_that_two_files_tell_of_shares_nothing_with_itself(tmp_path: Path) -> None:
    one = (
        "services:\n  users:\n    image: acme/users:1\n    environment: {DATABASE_URL: 'mongodb://db.example/users'}\n"
    )
    files = {"one/compose.yaml": one, "other/compose.yaml": one.replace("users:1", "users:2")}
    assert report_of(tmp_path, files, "SH201").findings == ()


@pytest.mark.parametrize(
    ("value", "hidden"),
    [("DB_PASSWORD: hunter2", True), ("DB_PASSWORD:", False), ("DB_PASSWORD: ${WORD:-hunter2}", False)],
)
def test_what_stands_in_the_file_as_it_is_may_be_a_secret(tmp_path: Path, value: str, hidden: bool) -> None:
    text = f"services:\n  users:\n    image: acme/users\n    environment:\n      {value}\n"
    report = report_of(tmp_path, {"compose.yaml": text}, "SH410")
    assert [(f.where.line, f.hidden) for f in report.findings] == ([(5, True)] if hidden else [])


def test_what_another_file_includes_is_read_and_has_to_be_there(tmp_path: Path) -> None:
    parts = {
        "users/compose.yaml": "services:\n  users:\n    image: acme/users\n    environment: {SECRET_KEY: hunter2}\n"
    }
    whole = "include:\n  - users/compose.yaml\n  - path: [orders/compose.yaml]\n"
    report = report_of(tmp_path, {"compose.yaml": whole} | parts, "SH410", "SH002")
    assert found(report) == [("SH002", "compose.yaml:3"), ("SH410", "users/compose.yaml:4")]


def test_a_file_that_changes_another_one_is_read_after_it(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  a:\n    image: a\n    environment: {NEXT_URL: 'http://b'}\n  b:\n    image: b\n",
        "compose.override.yaml": "services:\n  b:\n    environment: {NEXT_URL: 'http://a'}\n",
    }
    assert found(report_of(tmp_path, files, "SH102")) == [("SH102", "compose.yaml:4")]
    extended = "services:\n  base:\n    image: a\n    environment: {NEXT_URL: 'http://b'}\n  a:\n    extends: base\n"
    extended += "  b:\n    extends: {service: base}\n    environment: {NEXT_URL: 'http://a'}\n"
    assert found(report_of(tmp_path, {"compose.yaml": extended}, "SH102")) == [("SH102", "compose.yaml:4")]
