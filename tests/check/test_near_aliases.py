"""Mistakes by another name: what is bound, handed on, subclassed or put together, and what only looks like it."""

from pathlib import Path

import pytest

from tests.check.projects import report_of
from tests.check.test_near import SYSTEM, codes


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("httpx.AsyncClient(timeout=httpx.Timeout(None))", 1),
        ("httpx.Timeout(None, connect=2.0)", 1),
        ("httpx.Timeout(2.0)", 0),
        ("httpx.Timeout(None, read=2.0)", 0),
        ("requests.Session().get(WHERE)", 1),
        ("SESSION.get(WHERE)", 1),
        ("SESSION.get(WHERE, timeout=2.0)", 0),
        ("SESSION.close()", 0),
        ("WHERE.get(SESSION)", 0),
    ],
)
def test_limits_of_clients_that_are_kept(tmp_path: Path, lines: str, expected: int) -> None:
    head = "import requests\nif not __name__:\n    import httpx\nWHERE = ''\nSESSION = requests.Session()\n"
    code = f"{head}def ask():\n    {lines}\n"
    assert codes(tmp_path, code, "SH301") == ["SH301"] * expected


OWN = """
@web.get("/pages/{{number}}", access=signed_in)
async def page(number: int, who: Principal) -> int:
    {line}
    return number
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("log.info('%s asks', who.subject)", ["SH402"]),
        ("logging.getLogger('x').info(who.subject)", ["SH402"]),
        ("log.info('%s asks', owned := who.subject)", ["SH402"]),
        ("number += len(who.subject)", []),
    ],
)
def test_that_somebody_is_logged_is_no_check(tmp_path: Path, line: str, expected: list[str]) -> None:
    assert codes(tmp_path, OWN.format(line=line), "SH402") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("BY = {'user': 'shop', 'password': 'Tr0ub4dor&3'}", 1),
        ("BY = {'password': sys.prefix, 'user': 'Tr0ub4dor&3'}", 0),
        ("BY = {**{}}", 0),
        ("def by(host, api_key='a8f5f167f44f4964'): ...", 1),
        ("def by(*, host='', api_key='a8f5f167f44f4964'): ...", 1),
        ("def by(api_key, host='a8f5f167f44f4964'): ...", 0),
        ("BY = {}\nBY['api_key'] = 'a8f5f167f44f4964'", 1),
        ("log.api_key = 'a8f5f167f44f4964'", 1),
        ("import os\nBY = os.environ.get('API_KEY', 'a8f5f167f44f4964')", 1),
        ("import os\nBY = os.getenv('API_KEY', 'a8f5f167f44f4964')", 1),
        ("import os\nBY = os.environ.get('API_NAME', 'a8f5f167f44f4964')", 0),
        ("import os\nBY = os.environ.get('API_KEY')", 0),
    ],
)
def test_secrets_under_a_name(tmp_path: Path, code: str, expected: int) -> None:
    assert codes(tmp_path, code, "SH403") == ["SH403"] * expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [("_ = prices", 1), ("del prices", 1), ("_ = prices.price", 0), ("other = prices", 0), ("return prices", 0)],
)
def test_a_client_that_is_only_let_go_of(tmp_path: Path, body: str, expected: int) -> None:
    code = f"@web.get('/page', access=anyone)\nasync def page(prices: PricesApi) -> None:\n    {body}\n"
    assert codes(tmp_path, code, "SH404") == ["SH404"] * expected


@pytest.mark.parametrize(
    ("field", "help_"),
    [
        ("clerk_email: str", "clerk_email: Personal[str]"),
        ("clerk_email: str | None = None", "clerk_email: Personal[str | None]"),
        ("phone: int", "phone: Annotated[int, personal(erased=...)]"),
        ("by: Contact", "by: Annotated[Contact, personal(erased=...)]"),
        ("by: 'Contact'", "by: Annotated['Contact', personal(erased=...)]"),
        ("by: tuple[Contact, ...]", "by: Annotated[tuple[Contact, ...], personal(erased=...)]"),
        ("has_email: str", ""),
        ("wants_email: bool", ""),
        ("clerk_email: bool", ""),
        ("by: Annotated[Contact | None, personal()] = None", ""),
        ("by: Place", ""),
    ],
)
def test_fields_of_persons_by_another_name(tmp_path: Path, field: str, help_: str) -> None:
    code = (
        "class Place(msgspec.Struct):\n    shelf: str\n    within: 'Place | None' = None\n"
        "class Contact(msgspec.Struct):\n    where: Place\n    phone: str\n"
        f"@record('people', key='id')\nclass Person(msgspec.Struct, kw_only=True):\n    id: str\n    {field}\n"
    )
    report = report_of(tmp_path, {"system.py": SYSTEM.replace("{code}", code)}, "SH002", "SH405")
    assert [found.help for found in report.findings] == ([help_] if help_ else [])
    if help_:  # and does as it says
        said = help_.replace("erased=...", "erased=None")
        mended = code.replace(field, said + (" = None" if "=" in field else ""))
        left = report_of(tmp_path / "mended", {"system.py": SYSTEM.replace("{code}", mended)}, "SH002", "SH405")
        assert left.findings == ()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("log.bind(email=email)", 1),
        ("log.getChild('a').info(email)", 1),
        ("own = logging.getLogger('b')\n    own.info(email)", 1),
        ("KEPT.own.info(email)", 1),
        ("KEPT.own.info(customer_email)", 1),
        ("email.info(email)", 0),
    ],
)
def test_what_is_a_log(tmp_path: Path, lines: str, expected: int) -> None:
    code = (
        "class Kept:\n    def __init__(self):\n        self.own = logging.getLogger('c')\nKEPT = Kept()\n"
        f"def work(email, customer_email):\n    {lines}\n"
    )
    assert codes(tmp_path, code, "SH406") == ["SH406"] * expected


def test_what_is_a_log_of_an_object_that_keeps_another_thing(tmp_path: Path) -> None:
    code = (
        "class Kept:\n    def __init__(self, lines):\n        self.lines = lines\n"
        "    def work(self, email):\n        self.lines.info(email)\n"
    )
    assert codes(tmp_path, code, "SH406") == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("list(POOL.map(str, [1]))", 1),
        ("list(map(str, [1]))", 0),
        ("Worker().start()", 1),
        ("threading.Timer(1.0, str).start()", 1),
        ("threading.Timer(1.0, contextvars.copy_context().run, [str]).start()", 0),
        ("threading.Thread(target=contextvars.copy_context().run, args=[str]).start()", 0),
        ("asyncio.get_running_loop().run_in_executor(POOL, contextvars.copy_context().run, str)", 0),
        ("context = contextvars.copy_context()\n    threading.Thread(target=context.run, args=[str]).start()", 0),
        ("threading.Thread(target=POOL.run).start()", 1),
        ("POOL.submit(Plain().run)", 1),
        ("Plain().start()", 0),
    ],
)
def test_threads_by_another_name(tmp_path: Path, lines: str, expected: int) -> None:
    code = (
        "import contextvars, threading\nPOOL = concurrent.futures.ThreadPoolExecutor(1)\n"
        "class Worker(threading.Thread): ...\nclass Plain:\n    def start(self): ...\n"
        f"def work():\n    {lines}\n"
    )
    assert codes(tmp_path, code, "SH501") == ["SH501"] * expected


def test_an_executor_that_an_object_keeps(tmp_path: Path) -> None:
    code = (
        "class Kept:\n    def __init__(self):\n        self.pool = concurrent.futures.ThreadPoolExecutor(1)\n"
        "    def work(self):\n        self.pool.submit(str)\n        self.other.submit(str)\n"
    )
    assert codes(tmp_path, code, "SH501") == ["SH501"]


@pytest.mark.parametrize(
    ("line", "help_"),
    [
        ("COUNT.labels(user=order.user_id)", "leave it out"),
        ("COUNT.labels(user=order.kind)", ""),
        ("COUNT.add(1, {'user': order.user_id})", "leave it out"),
        ("COUNT.add(1, {'user': 'all'})", ""),
        ("COUNT.span('order ' + order.user_id)", "give it a name that is always the same"),
    ],
)
def test_labels_by_their_values(tmp_path: Path, line: str, help_: str) -> None:
    code = f"import prometheus_client\nCOUNT = None\ndef work(order):\n    {line}\n"
    report = report_of(tmp_path, {"system.py": SYSTEM.replace("{code}", code)}, "SH002", "SH502")
    told = f"{help_}, and give the value to an attribute of a span"
    assert [found.help for found in report.findings] == ([told] if help_ else [])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("pprint.pprint(1)", "log.info(...)"),
        ("traceback.print_exc()", 'log.exception("...")'),
        ("sys.stderr.write('a')", "log.info(...)"),
        ("traceback.format_exc()", ""),
    ],
)
def test_what_prints(tmp_path: Path, line: str, told: str) -> None:
    code = f"import pprint, traceback\n@web.get('/page', access=anyone)\nasync def page() -> None:\n    {line}\n"
    report = report_of(tmp_path, {"system.py": SYSTEM.replace("{code}", code)}, "SH002", "SH503")
    assert [told in found.help for found in report.findings] == ([True] if told else [])
