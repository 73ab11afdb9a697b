"""What looks like a mistake and is none, and what is one although it looks otherwise."""

from pathlib import Path

import pytest

from tests.check.projects import found, report_of

SYSTEM = """
import asyncio
import concurrent.futures
import logging
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Protocol

import msgspec

from shoal import (
    CallFailed, Issuer, Personal, Postgres, Principal, Secret, Service, Settings, System, Transaction, anyone, contract,
    event, get, internal, personal, post, record, role, signed_in,
)

log = logging.getLogger(__name__)


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal)
    async def price(self) -> int: ...

    @post("/charge", access=internal)
    async def charge(self) -> int: ...


prices = Service("prices", store=Postgres())
web = Service("web", store=Postgres())


@prices.implements(PricesApi.price)
async def price() -> int:
    return 3


@prices.implements(PricesApi.charge)
async def charge() -> int:
    return 3


{code}

system = System("shop", services=[prices, web], issuer=Issuer(web, audience="shop"))
"""


def codes(root: Path, code: str, *only: str) -> list[str]:
    """Check a system with this code in it, and list what is found by these rules."""
    report = report_of(root, {"system.py": SYSTEM.replace("{code}", code)}, *only)
    assert "SH002" not in [one.code for one in report.findings], report.findings
    return [one for one, _ in found(report)]


CALL = """
@web.get("/page", access=anyone)
async def page(prices: PricesApi) -> int:
    {body}
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return await prices.price()", []),
        # each round is another thing
        ("return sum([await prices.price() for _ in range(3)])", []),
        # an error ends the loop
        (
            """for _ in range(3):
        try:
            return await prices.price()
        except CallFailed:
            raise
    return 0""",
            [],
        ),
        # it is caught once, not tried again
        (
            """try:
        return await prices.price()
    except CallFailed:
        return 0""",
            [],
        ),
        (
            """while True:
        try:
            return await prices.charge()
        except CallFailed:
            log.warning("again")""",
            ["SH302"],
        ),
        # it is left when it succeeds, wherever that is said
        (
            """for _ in range(3):
        try:
            found = await prices.price()
            break
        except CallFailed:
            continue
    return found""",
            ["SH302"],
        ),
        # each round is another thing, and what failed is left out
        (
            """for _ in range(3):
        try:
            await prices.price()
        except CallFailed:
            continue
    return 0""",
            ["SH103"],
        ),
    ],
)
def test_calls_that_are_repeated(tmp_path: Path, body: str, expected: list[str]) -> None:
    in_turn = ["SH103"] if "sum(" in body or "raise" in body else []
    assert codes(tmp_path, CALL.replace("{body}", body), "SH302", "SH103") == (expected or in_turn)


def test_what_is_not_safe_to_repeat_is_an_error(tmp_path: Path) -> None:
    body = "while True:\n        try:\n            return await prices.charge()\n        except CallFailed: ..."
    report = report_of(tmp_path, {"system.py": SYSTEM.replace("{code}", CALL.replace("{body}", body))}, "SH302")
    assert [(f.severity, "not safe to repeat" in f.message) for f in report.findings] == [("error", True)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("aiohttp.ClientTimeout()", [("error", "forever")]),
        ("aiohttp.ClientTimeout(None)", [("error", "forever")]),
        ("aiohttp.ClientTimeout(total=None, sock_connect=2.0)", [("error", "forever")]),
        ("aiohttp.ClientTimeout(2.0)", []),
        ("aiohttp.ClientTimeout(sock_read=2.0)", []),
        ("aiohttp.ClientTimeout(**LIMITS)", []),
        ("aiohttp.ClientSession()", [("warning", "five minutes")]),
        ("aiohttp.ClientSession(timeout=LIMIT)", []),
        ("aiohttp.ClientSession(timeout=None)", [("error", "forever")]),
        ("aiohttp.ClientSession(**LIMITS)", []),
    ],
)
def test_how_long_sessions_of_aiohttp_wait(tmp_path: Path, line: str, expected: list[tuple[str, str]]) -> None:
    code = f"import aiohttp\n\nLIMITS, LIMIT = {{}}, None\n\n\ndef opened() -> object:\n    return {line}\n"
    report = report_of(tmp_path, {"system.py": SYSTEM.replace("{code}", code)}, "SH301")
    said = [(f.severity, "forever" if "for ever" in f.message else "five minutes") for f in report.findings]
    assert said == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://user:hunter22@db.example/orders", ["SH403"]),
        ("postgres://{user}:{password}@db.example/orders", []),
        ("https://example.com/a:b@c", []),
        ("AKIAIOSFODNN7EXAMPLE", ["SH403"]),
        ("an AKIA of something", []),
        ("SG." + "a1_" * 7 + "b." + "c2-" * 14 + "d", ["SH403"]),
        ("SG.a1.b2", []),
        ("-----BEGIN PRIVATE KEY-----", ["SH403"]),
        ("-----BEGIN PUBLIC KEY-----", []),
        ("ghp_" + "a" * 36, ["SH403"]),
    ],
)
def test_texts_that_are_secrets(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert codes(tmp_path, f"WHERE = {text!r}", "SH403") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [('Secret("")', []), ("Secret(sys.prefix)", []), ('Secret("x1")', ["SH403"])]
)
def test_defaults_that_are_secrets(tmp_path: Path, value: str, expected: list[str]) -> None:
    assert codes(tmp_path, f"class Own(Settings):\n    key: Secret = {value}\n", "SH403") == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("str", ["SH405"]),
        ("str | None", ["SH405"]),
        ("Personal[str]", []),
        ("Personal[str] | None", []),
        ("Annotated[str, personal()]", []),
    ],
)
def test_fields_of_persons(tmp_path: Path, annotation: str, expected: list[str]) -> None:
    code = f'@record("people", key="id")\nclass Person(msgspec.Struct):\n    id: str\n    email: {annotation}\n'
    assert codes(tmp_path, code, "SH405") == expected
    beside = f"{code}    name: str\n"
    assert codes(tmp_path / "beside", beside, "SH405") == [*expected, "SH405"], "whose name it is, the other field says"
    other = '@record("shelves", key="id")\nclass Shelf(msgspec.Struct):\n    id: str\n    name: str\n'
    assert codes(tmp_path / "other", other, "SH405") == []
    plain = f"class Person(msgspec.Struct):\n    id: str\n    email: {annotation}\n"
    assert codes(tmp_path / "plain", plain, "SH405") == [], "it is neither kept nor announced"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("log.info('%s', person.email)", ["SH406"]),
        ("log.info(f'{person.email} came')", ["SH406"]),
        ("log.info('came', extra={'person': person.email})", ["SH406"]),
        ("logging.warning(person.phone)", ["SH406"]),
        ("logging.getLogger(__name__).info(person.phone)", ["SH406"]),
        ("log.info('no email for %s', person.id)", []),
        ("print(person.email)", []),
    ],
)
def test_what_is_logged_of_persons(tmp_path: Path, line: str, expected: list[str]) -> None:
    assert codes(tmp_path, f"def tell(person) -> None:\n    {line}\n", "SH406") == expected


@pytest.mark.parametrize(
    ("signature", "access", "expected"),
    [
        ("order: str", "signed_in", ["SH402"]),
        ("order: str, principal: Principal", "signed_in", ["SH402"]),
        ("order: str", 'role("admin")', []),
        ("order: str", "anyone", []),
    ],
)
def test_things_that_are_somebodys(tmp_path: Path, signature: str, access: str, expected: list[str]) -> None:
    head = f'@web.get("/orders/{{order}}", access={access})\nasync def show({signature}) -> str:\n'
    assert codes(tmp_path, f"{head}    return order\n", "SH402") == expected
    asking = f"{head}    return order if owned(order, principal) else ''\n"
    if "Principal" in signature:
        assert codes(tmp_path / "asking", asking, "SH402") == []


@pytest.mark.parametrize(
    ("access", "field", "expected"),
    [
        ("anyone", "Personal[str]", ["SH402"]),
        ("anyone", "str", []),
        ('role("admin")', "Personal[str]", []),
    ],
)
def test_persons_whom_anybody_may_look_up(tmp_path: Path, access: str, field: str, expected: list[str]) -> None:
    code = f'@record("people", key="id")\nclass Person(msgspec.Struct):\n    id: str\n    alias: {field}\n\n\n'
    code += f'@web.get("/people/{{id}}", access={access})\nasync def show(id: str, tx: Transaction) -> str:\n'
    assert codes(tmp_path, f"{code}    return (await tx.require(Person, id)).alias\n", "SH402") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('PASSWORD = "s3cret-mail"', ["SH403"]),
        ('client.connect(api_key="a1b2c3d4e5")', ["SH403"]),
        ('class Own(Settings):\n    db_password: str = "s3cret-mail"', ["SH403"]),
        ('PASSWORD = "short1"', []),
        ('PASSWORD = "the field of a form"', []),
        ('TOKEN = "bearer-token"', []),
        ('WORDS = "s3cret-mail"', []),
        ('PASSWORD = "${MAIL_PASSWORD_1}"', []),
    ],
)
def test_what_passwords_are_given(tmp_path: Path, line: str, expected: list[str]) -> None:
    indented = line.replace("\n", "\n    ")
    assert codes(tmp_path, f"def make(client) -> None:\n    {indented}\n", "SH403") == expected


@pytest.mark.parametrize(
    ("name", "expected"), [('"charge card"', []), ('f"charge {key}"', ["SH502"]), ('"charge " + key', ["SH502"])]
)
def test_spans_that_are_called_after_values(tmp_path: Path, name: str, expected: list[str]) -> None:
    code = f"from shoal import Trace\n\n\ndef charge(trace: Trace, key: str) -> None:\n    trace.span({name})\n"
    assert codes(tmp_path, code, "SH502") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("await asyncio.to_thread(print)", []),
        ("await asyncio.get_running_loop().run_in_executor(None, print)", ["SH501"]),
        ("POOL.submit(print)", ["SH501"]),
        ("FORM.submit(print)", []),
    ],
)
def test_threads(tmp_path: Path, line: str, expected: list[str]) -> None:
    code = (
        f"POOL = concurrent.futures.ThreadPoolExecutor()\nFORM = object()\n\n\nasync def work() -> None:\n    {line}\n"
    )
    assert codes(tmp_path, code, "SH501") == expected


def test_what_a_tool_prints_is_no_concern(tmp_path: Path) -> None:
    assert codes(tmp_path, "def tool() -> None:\n    print('for a person at a terminal')\n", "SH503") == []
    called = (
        '@web.get("/p", access=anyone)\nasync def p() -> None:\n    tool()\n\n\ndef tool() -> None:\n    print(1)\n'
    )
    assert codes(tmp_path / "called", called, "SH503") == ["SH503"]
