"""The command line without a running system: help, errors, exit codes, and what stays data."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shoal import files
from shoal.cli.commands import call, dlq, new
from shoal.cli.output import table
from shoal.cli.program import COMMANDS, Global, main
from shoal.errors import DeclarationError, HostError, ShoalError
from shoal.local.secrets import signing_key
from shoal.model.system import from_json
from shoal.operating import requests
from shoal.operating.project import read
from shoal.tokens import Verifier

Run = Callable[..., tuple[int, str, str]]

SIGNED = """
import msgspec
from shoal import Issuer, Service, System, Principal, internal, signed_in

users = Service("users")

@users.get("/me", access=signed_in)
async def me(who: Principal) -> dict[str, str]:
    return {}

@users.get("/secret", access=internal)
async def secret() -> dict[str, str]:
    return {}

system = System("signed", services=[users], issuer=Issuer(users, audience="signed"))
"""

FINDING = """
from typing import Annotated
import msgspec
from shoal import FullText, OpenSearch, Postgres, Service, System, record, search_index

@search_index("names")
@record("names", key="name")
class Name(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, FullText()]

finding = Service("finding", store=Postgres(), search=OpenSearch(indexes=[Name]))
system = System("found", services=[finding])
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the program in the folder of the test; returns exit code, output and error output."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("NO_COLOR", "1")
    before = set(sys.modules)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(tmp_path), *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield invoke
    for name in set(sys.modules) - before:
        if not name.startswith(("shoal", "click")):
            del sys.modules[name]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files.write(tmp_path, new.artifacts("planner"))
    return tmp_path


def test_help_lists_every_command_and_the_exit_codes(run: Run) -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert all(f"  {name}" in out for name in COMMANDS)
    assert "130  interrupted" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_examples(run: Run, name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"shoal {name}" in out.partition("Examples:")[2]


def test_help_imports_no_command_and_no_library_of_theirs() -> None:
    code = (
        "import sys\nfrom shoal.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in {'rich', 'asyncio', 'watchfiles', 'cryptography'}"
        " or m.startswith(('shoal.cli.commands', 'shoal.local', 'shoal.runtime'))])"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)  # noqa: S603
    assert out.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_a_matter_of_usage(run: Run) -> None:
    code, out, err = run("dance")
    assert (code, out) == (2, "")
    assert "No such command 'dance'" in err
    assert "Did you mean 'describe'?" in run("dscribe")[2]


def test_without_a_system_it_says_how_to_name_one(run: Run) -> None:
    code, out, err = run("describe")
    assert (code, out) == (1, "")
    assert "error: there is no system system:system" in err
    assert "hint: name it with --system" in err


def test_a_run_without_a_system_makes_nothing(run: Run, tmp_path: Path) -> None:
    code, out, err = run("run")
    assert (code, out) == (1, "")
    assert "error: there is no system system:system" in err
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_cannot_be_imported_is_shown_at_its_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = 1\ny = (2\n")
    code, _, err = run("--system", "broken:system", "describe")
    assert code == 1
    assert err.startswith("error: broken.py:2: cannot import broken: '(' was never closed\n    y = (2\n        ^")
    assert "Traceback" not in err


def test_an_error_in_a_module_points_to_the_authors_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def boom():\n    raise ValueError('no')\n")
    (tmp_path / "caller.py").write_text("import helper\nhelper.boom()\n")
    code, _, err = run("--system", "caller:system", "describe")
    assert code == 1
    assert err.startswith("error: helper.py:2: cannot import caller: ValueError: no")


@pytest.mark.parametrize("form", [("-o", "json"), ("--json",)], ids=" ".join)
def test_describe_as_json_is_the_whole_system(run: Run, project: Path, form: tuple[str, ...]) -> None:
    code, out, err = run("describe", *form)
    assert (code, err) == (0, "")
    system = from_json(out.encode())
    assert [s.name for s in system.services] == ["tasks", "scores"]
    assert system.services[0].publishes[0].id == "tasks.finished.v1"


def test_describe_shows_what_json_holds(run: Run, project: Path) -> None:
    _, out, _ = run("describe")
    assert "tasks.finished.v1" in out
    _, out, _ = run("describe", "scores")
    assert "/scores/{owner}" in out
    assert "tasks.finished.v1 -> count" in out


@pytest.mark.parametrize(("option", "version"), [("--openapi", "openapi"), ("--asyncapi", "asyncapi")])
def test_describe_prints_the_documents_of_a_service(run: Run, project: Path, option: str, version: str) -> None:
    _, out, _ = run("describe", option, "tasks")
    assert json.loads(out)[version].startswith("3.")


def test_an_unknown_service_is_told_with_the_known_ones(run: Run, project: Path) -> None:
    code, _, err = run("describe", "taks")
    assert code == 1
    assert "its services are: tasks, scores" in err


def test_new_refuses_a_folder_that_is_not_empty(run: Run, project: Path) -> None:
    code, _, err = run("new", ".")
    assert code == 3
    assert "is not empty" in err


@pytest.mark.parametrize(
    ("name", "package"), [("my-shop", "my_shop"), ("json", "json_system"), ("class", "class_system")]
)
def test_a_package_hides_no_other(name: str, package: str) -> None:
    assert new.package(name) == package


def test_new_makes_what_describe_reads(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("new", "fresh")
    assert code == 0
    assert "fresh/pyproject.toml" in out
    code, out, _ = run("-C", str(tmp_path / "fresh"), "describe", "-o", "json")
    assert (code, json.loads(out)["name"]) == (0, "fresh")


def test_a_token_is_what_the_system_accepts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "signed.py").write_text(SIGNED)
    code, out, err = run("--system", "signed:system", "token", "--sub", "ada", "--role", "admin", "--claim", "n=1")
    assert (code, err) == (0, "")
    keys = signing_key(tmp_path / ".shoal/secrets").public.read_bytes()
    claims = Verifier(keys, issuer="spiffe://signed/users", audience="signed").verify(out.strip(), 0)
    assert (claims["sub"], claims["roles"], claims["n"]) == ("ada", ["admin"], 1)


def test_a_system_without_an_issuer_has_no_tokens(run: Run, project: Path) -> None:
    code, _, err = run("token")
    assert code == 1
    assert "has no issuer" in err


@pytest.mark.parametrize("command", [("ps",), ("call", "tasks.add")])
def test_what_needs_a_run_says_so(run: Run, project: Path, command: tuple[str, ...]) -> None:
    code, out, err = run(*command)
    assert (code, out) == (3, "")
    assert "hint: start it with `shoal run`" in err


def test_stop_without_a_run_is_no_error(run: Run, project: Path) -> None:
    assert run("stop") == (0, "", "nothing runs\n")


def test_an_internal_endpoint_is_out_of_reach(tmp_path: Path, run: Run) -> None:
    (tmp_path / "signed.py").write_text(SIGNED)
    _, out, _ = run("--system", "signed:system", "describe", "-o", "json")
    with pytest.raises(DeclarationError, match=r"users\.secret is internal"):
        requests.endpoint(from_json(out.encode()), "users.secret")


def test_values_fill_path_query_and_headers(run: Run, project: Path) -> None:
    _, out, _ = run("describe", "-o", "json")
    system = from_json(out.encode())
    finish = requests.endpoint(system, "tasks.finish")
    assert requests.fill(finish, finish.public, {"task_id": "a/b"}) == ("/tasks/a%2Fb/finish", {})
    listing = requests.endpoint(system, "tasks.list-tasks")
    assert requests.fill(listing, listing.public, {"limit": "2"}) == ("/tasks?limit=2", {})


def test_call_keeps_digits_as_text_where_the_body_wants_text(run: Run, project: Path) -> None:
    system = from_json(run("describe", "-o", "json")[1].encode())
    add = requests.endpoint(system, "tasks.add")
    assert call._texts(add, system.service("tasks").schemas) == {"title", "owner"}
    assert call._texts(requests.endpoint(system, "tasks.finish"), {}) == set()


def test_logs_say_that_there_are_none(run: Run, tmp_path: Path) -> None:
    code, out, err = run("logs")
    assert (code, out) == (0, "")
    assert err == f"nothing has run in {tmp_path} yet\n"


def test_doctor_names_every_engine(run: Run, project: Path) -> None:
    _, out, _ = run("doctor", "-o", "json")
    checks = {check["name"]: check for check in json.loads(out)}
    assert {"python", "platform", "postgres", "nats", "envoy", "mailbox", "disk", "port", "sockets"} <= checks.keys()
    _, shown, _ = run("doctor")
    moving = {"disk", "port", "file watches"}
    assert all(check["found"] in shown for name, check in checks.items() if name not in moving)


def test_doctor_misses_a_wheel(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.local.engines.mailbox._DISTRIBUTION", "no_such_package")
    code, out, _ = run("doctor")
    assert code == 3
    assert "! mailbox" in out
    assert "fix: " in out


def test_doctor_asks_the_cluster_of_opensearch_that_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "finding.py").write_text(FINDING)
    monkeypatch.syspath_prepend(str(tmp_path))
    _, out, _ = run("--system", "finding:system", "doctor")
    assert "! search of finding" in out
    assert "fix: for --engine finding.search=opensearch set SHOAL_SEARCH_URL=opensearch://" in out
    monkeypatch.setenv("SHOAL_SEARCH_URL", "opensearch://127.0.0.1:1/shop-{service}")
    _, out, _ = run("--system", "finding:system", "doctor")
    assert "GET /_alias/shop-finding.names" in out


def test_columns_are_aligned() -> None:
    assert table(("A", "B"), [("long", "x"), ("s", "y")]) == "A     B\nlong  x\ns     y"


@pytest.mark.parametrize("option", [("--replicas", "orders"), ("--port", "0")])
def test_run_refuses_what_cannot_be_meant(run: Run, project: Path, option: tuple[str, ...]) -> None:
    code, _, err = run("run", *option)
    assert code == 2
    assert "Invalid value" in err


@pytest.mark.parametrize(
    ("place", "option"), [("shoal.local.ground.take", ()), ("shoal.cli.detach.detach", ("--detach",))]
)
def test_a_misspelt_engine_is_refused_beside_a_running_system_too(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch, place: str, option: tuple[str, ...]
) -> None:
    def running(*_: object, **__: object) -> None:
        raise HostError("this project is already running")

    monkeypatch.setattr(place, running)
    code, _, err = run("run", *option, "--engine", "broker=kafak")
    assert (code, "'kafak'" in err) == (1, True), err
    code, _, err = run("run", *option, "--engine", "broker=kafka")
    assert (code, "already running" in err) == (3, True), err


def test_replicas_of_an_unknown_service_are_refused(run: Run, project: Path) -> None:
    code, _, err = run("run", "--replicas", "nobody=2")
    assert code == 1
    assert "replicas are asked for 'nobody'" in err


def test_what_contradicts_itself_is_a_matter_of_usage(run: Run, project: Path) -> None:
    for words in (("describe", "--flow", "--openapi", "tasks"), ("contract", "lock", "--breaking", " ")):
        code, _, err = run("-C", str(project), *words)
        assert (code, "sage" in err or "nvalid" in err) == (2, True), err


def test_a_folder_with_accents_becomes_a_label(run: Run, tmp_path: Path) -> None:
    _, _, err = run("-C", str(tmp_path), "new", "naïve")
    assert "made naive" in err


def test_call_refuses_a_field_that_nobody_reads(project: Path) -> None:
    system = read(Global(root=project, system=""))
    endpoint, schemas = requests.endpoint(system, "tasks.add"), system.service("tasks").schemas
    requests.refuse_unknown(endpoint, schemas, ("title", "owner"))
    with pytest.raises(requests.Unfit, match=r"does not take extra; it takes: .*title"):
        requests.refuse_unknown(endpoint, schemas, ("title", "extra"))


def test_call_refuses_a_header_that_cannot_be_sent(project: Path) -> None:
    context = Global(root=project, system="")
    system = read(context)
    for headers in ({"X-Note": "one\ntwo: 3"}, {"X-Note": "\u20ac"}, {"X Note": "one"}, {"": "one"}):
        with pytest.raises(requests.Unfit, match="header"):
            requests.made(context, system, "tasks.list-tasks", {}, headers=headers)
    sent = requests.made(context, system, "tasks.list-tasks", {}, headers={"X-Note": "one\té"}).headers
    assert sent["X-Note"] == "one\té"


def test_without_a_terminal_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    with pytest.raises(ShoalError, match="nothing was thrown away") as refused:
        dlq._agreed([])
    assert "--yes" in refused.value.hint
    with pytest.raises(ShoalError, match="no terminal"):
        dlq._text("{}", "", None)
