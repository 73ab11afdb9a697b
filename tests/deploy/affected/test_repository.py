"""Changes in a real repository, and the services that they concern."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoal.cli.program import main
from shoal.errors import DeclarationError, HostError
from tests.deploy.affected.repository import FILES, commit, compared, forget, git, write

ORDERS = "shop/orders/contract.py"
EVERY = ("orders", "desk", "mail", "reports")


@pytest.fixture(scope="module", autouse=True)
def _modules() -> Iterator[None]:
    """Put back the shop that other tests import; the projects here bear its name."""
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "shop"}
    path, bytecode = [*sys.path], sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    for name in kept:
        del sys.modules[name]
    yield
    forget()
    sys.modules.update(kept)
    sys.path[:], sys.dont_write_bytecode = path, bytecode


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    write(folder, FILES)
    git(folder, "init", "-q")
    commit(folder)
    return folder


def lock(folder: Path) -> str:
    """Keep the contracts in files, from now on."""
    forget()
    with pytest.raises(SystemExit):
        main(["-q", "-C", str(folder), "contract", "lock", "--breaking", "meant"])
    return commit(folder)


@pytest.mark.parametrize(
    ("path", "test", "build", "deploy"),
    [
        ("shop/orders/pricing.py", ("orders",), ("orders",), ("orders",)),
        ("shop/orders/migrations/001.sql", ("orders",), ("orders",), ("orders",)),
        ("shop/orders/letter.md", ("orders",), ("orders",), ("orders",)),
        ("shop/orders/README.md", (), (), ()),
        ("shop/orders/tests/test_pricing.py", ("orders",), (), ()),
        ("shop/orders/fresh.sql", ("orders",), ("orders",), ("orders",)),
        ("shop/money/rates.py", ("orders", "reports"), ("orders", "reports"), ("orders", "reports")),
        ("shop/money/rates.json", ("orders", "reports"), ("orders", "reports"), ("orders", "reports")),
        ("shop/money/__init__.py", ("orders", "reports"), ("orders", "reports"), ("orders", "reports")),
        (ORDERS, ("orders", "desk", "mail"), ("orders", "desk", "mail"), ("orders", "desk", "mail")),
        ("shop/__init__.py", EVERY, EVERY, EVERY),
        ("shop/around.py", EVERY, EVERY, EVERY),
        ("shop/unused.py", EVERY, EVERY, EVERY),
        ("pyproject.toml", EVERY, EVERY, EVERY),
        ("Dockerfile", EVERY, EVERY, EVERY),
        ("tests/test_all.py", EVERY, (), ()),
        ("deploy/base/orders/deployment.yaml", (), (), ("orders",)),
        ("deploy/base/kustomization.yaml", (), (), EVERY),
        ("docs/index.md", (), (), ()),
        ("bench/run.py", (), (), ()),
    ],
)
def test_a_file_concerns_its_services(
    folder: Path, path: str, test: tuple[str, ...], build: tuple[str, ...], deploy: tuple[str, ...]
) -> None:
    more = {".py": "\nMORE = 1\n", ".toml": "# more\n"}.get(Path(path).suffix, "more")
    write(folder, {path: FILES.get(path, "") + more})
    found = compared(folder, "HEAD")
    assert (found.test, found.build, found.deploy) == (test, build, deploy)
    assert (path in found.nothing) == (not test and not deploy)
    assert (path in found.everything) == (build == EVERY and path != "shop/__init__.py")


def test_a_removed_module_concerns_those_who_imported_it(folder: Path) -> None:
    (folder / "shop/money/rates.py").unlink()
    write(folder, {"shop/money/__init__.py": "RATES = {}", "shop/reports/service.py": FILES["shop/desk/service.py"]})
    write(folder, {"shop/reports/service.py": 'from shoal import Service\nreports = Service("reports")\n'})
    found = {one.service: [r.path for r in one.reasons] for one in compared(folder, "HEAD").services}
    assert found["reports"] == ["shop/money/__init__.py", "shop/money/rates.py", "shop/reports/service.py"]
    assert "shop/money/rates.py" in found["orders"]


def test_a_moved_module_is_one_removed_and_one_added(folder: Path) -> None:
    git(folder, "mv", "shop/orders/pricing.py", "shop/orders/costs.py")
    write(folder, {"shop/orders/service.py": FILES["shop/orders/service.py"].replace("pricing", "costs")})
    one = next(one for one in compared(folder, "HEAD").services if one.service == "orders")
    assert [r.path for r in one.reasons] == [f"shop/orders/{name}.py" for name in ("costs", "pricing", "service")]


def test_a_changed_schema_names_its_consumers_and_the_place(folder: Path) -> None:
    since = lock(folder)
    write(folder, {ORDERS: FILES[ORDERS].replace("order_id: str\n    amount: int", "order_id: str\n    amount: str")})
    found = {one.service: one for one in compared(folder, since).services}
    (reason,) = [r for r in found["mail"].reasons if r.kind == "event"]
    assert reason.path == "orders.placed.v1"
    assert reason.needs == ("test",)
    assert reason.told.startswith("consumes orders.placed.v1, whose schema changed at $.amount: values of another type")
    assert f"({ORDERS}:" in reason.told
    assert not [r for r in found["desk"].reasons if r.kind in ("event", "operation")]


def test_a_changed_operation_names_its_callers_and_not_those_of_others(folder: Path) -> None:
    since = lock(folder)
    write(folder, {path: FILES[path].replace("list[str]", "list[int]") for path in (ORDERS, "shop/orders/service.py")})
    found = {one.service: one for one in compared(folder, since).services}
    (reason,) = [r for r in found["desk"].reasons if r.kind == "operation"]
    assert (reason.path, reason.needs) == ("GET /names", ("test",))
    assert reason.told.startswith("calls GET /names of orders, which changed at answer $[]: values of another type may")
    assert not [r for r in found["mail"].reasons if r.kind in ("event", "operation")]


def test_a_contract_file_alone_concerns_its_owner_and_who_relies_on_it(folder: Path) -> None:
    since = lock(folder)
    (folder / "contracts/orders/events/placed.v1.json").unlink()
    found = compared(folder, since)
    assert (found.test, found.build) == (("orders", "mail"), ())


def test_without_files_of_contracts_the_declaring_file_counts(folder: Path) -> None:
    write(folder, {ORDERS: FILES[ORDERS] + "\nMORE = 1\n"})
    (told,) = [r.told for one in compared(folder, "HEAD").services for r in one.reasons if r.kind == "event"]
    assert (
        told == f"consumes orders.placed.v1, declared in {ORDERS}, which changed; its schema is in no contract's file"
    )


def test_a_project_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "app"
    write(folder, FILES)
    write(tmp_path / "work", {"other/file": ""})
    git(tmp_path / "work", "init", "-q")
    since = lock(folder)
    write(folder, {"shop/mail/service.py": FILES["shop/mail/service.py"] + "#"})
    assert compared(folder, since).build == ("mail",)
    write(tmp_path / "work", {"other/file": "new"})
    assert compared(folder, since).everything == ("../other/file",)
    assert compared(folder, since, unaffected=("../other/*",)).everything == ()


def test_the_command_prints_data_for_a_pipeline(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, {"shop/mail/service.py": FILES["shop/mail/service.py"] + "#"})
    for arguments in (["-o", "json"], []):
        forget()
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(folder), "affected", "--since", "HEAD", *arguments])
        assert not ended.value.code
        out, err = capsys.readouterr()
        if arguments:
            assert json.loads(out)["build"] == ["mail"]
            assert json.loads(out)["since"] == git(folder, "rev-parse", "HEAD").strip()
        else:
            assert "mail     test build deploy  is made of shop/mail/service.py, which changed" in out
            assert err == "1 changed file: of 4 services 1 to test, 1 to build, 1 to deploy\n"


def test_zeros_are_no_revision_and_affect_everything(folder: Path) -> None:
    found = compared(folder, "0" * 40)
    assert (found.since, found.build) == ("", EVERY)


@pytest.mark.parametrize("revision", ["nothing", "--output=/tmp/x", ""])
def test_what_is_no_revision_is_refused(folder: Path, revision: str) -> None:
    with pytest.raises(DeclarationError, match="no revision"):
        compared(folder, revision)


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    with pytest.raises(HostError, match="git"):
        compared(tmp_path, "HEAD")


def test_odd_names_are_names(folder: Path) -> None:
    write(folder, {'shop/orders/ü "x".sql': "", "shop/orders/two\nlines.py": ""})
    since = commit(folder)
    write(folder, {'shop/orders/ü "x".sql': "1", "shop/orders/two\nlines.py": "1"})
    assert compared(folder, since).build == ("orders",)
