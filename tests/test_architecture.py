"""Hold the whole checkout to the rules of ``house.py``, and each rule to its examples.

``BROKEN`` has sources that must be found guilty, so that no rule can pass by looking at nothing; ``SOUND``
has sources that must not.
"""

import pytest

from tests.house import (
    ALLOWED,
    MAX_FILE,
    MAX_FUNCTION,
    REGISTRIES,
    RULES,
    Rule,
    cycles,
    direction,
    drivers_apart,
    honest_all,
    modules,
    one_home,
    one_layout,
    parse,
    public_only,
    purity,
    registries,
    services_apart,
    size,
    terminal_in_cli,
    texts,
)
from tests.house_page import PAGE, absent, reads

BROKEN: tuple[tuple[Rule, str, str], ...] = (
    (direction, "shoal.model.plan", "from shoal.runtime import serve"),
    (direction, "shoal.model.plan", "from shoal import Service"),
    (direction, "shoal.service.app", "from ..cli import main"),
    (direction, "shoal.errors", "def late() -> None:\n    import shoal.model.names"),
    (direction, "shoal.novelty.thing", ""),
    (purity, "shoal.model.plan", "import os.path"),
    (purity, "shoal.mesh.envoy", "from pathlib import Path"),
    (purity, "shoal.check.rule", "import datetime\nNOW = datetime.datetime.now()"),
    (purity, "shoal.deploy.istio", "TEXT = open('x').read()"),
    (purity, "shoal.cost.estimate", "from uuid import uuid4\nKEY = uuid4()"),
    (size, "shoal.local.host", "x = 1\n" * (MAX_FILE + 1)),
    (size, "shoal.local.host", "def long() -> None:\n" + "    x = 1\n" * MAX_FUNCTION),
    (size, "shoal.local.host", "async def wide(a, b, c, d, /, e, f, *, g, h, i): ..."),
    (terminal_in_cli, "shoal.local.supervisor", "import rich.console"),
    (terminal_in_cli, "shoal.local.supervisor", "from click import echo"),
    (drivers_apart, "shoal.drivers.nats", "from shoal.drivers import memory"),
    (drivers_apart, "shoal.drivers.nats", "from .memory import Bus"),
    (services_apart, "shop.orders.handlers", "from shop.payments.handlers import charge"),
    (services_apart, "shop.orders.service", "from shop import payments"),
    (public_only, "shop.orders.service", "from shoal.runtime import serve"),
    (public_only, "shop.orders.service", "from shoal import _internal"),
    (public_only, "shop.system", "import shoal.model.system"),
    (public_only, "shop.orders.service", "from shoal.load import Visitor"),
    (direction, "shoal.runtime.host", "import shoal.load"),
    (direction, "shoal.service.declare", "from shoal.load import Journey"),
    (one_layout, "shoal.cli.run", "from pathlib import Path\nPLACE = Path() / '.shoal'"),
    (honest_all, "shoal", "from shoal.model import B, A\n__all__ = ['B', 'A']"),
    (honest_all, "shoal", "from shoal.model import A, B\n__all__ = ['A']"),
    (honest_all, "shoal", "from shoal.model import A\n__all__ = ['A', 'B']"),
)
SOUND: tuple[tuple[Rule, str, str], ...] = (
    (
        direction,
        "shoal.runtime.serve",
        "import json\nfrom shoal.drivers import base\nfrom .inbox import Inbox",
    ),
    (purity, "shoal.model.plan", "import datetime\nfrom pathlib import PurePosixPath"),
    (purity, "shoal.local.process", "import os\nimport subprocess"),
    (terminal_in_cli, "shoal.cli.run", "import click"),
    (drivers_apart, "shoal.drivers.nats", "from shoal.drivers.base import Bus"),
    (services_apart, "shop.orders.service", "from shop.payments.contract import PaymentsApi"),
    (services_apart, "shop.system", "from shop.orders.service import orders"),
    (public_only, "shop.orders.service", "from shoal import Service"),
    (public_only, "shop.load", "from shoal.load import Visitor"),
    (one_layout, "shoal.local.layout", "def home(self): return self.root / '.shoal'"),
    (honest_all, "shoal", "from shoal.model import GET, Any\n__version__ = '1'\n__all__ = ['GET', 'Any']"),
)


@pytest.mark.parametrize("rule", RULES)
def test_every_module_obeys(rule: Rule) -> None:
    findings = [finding for module in modules() for finding in rule(module)]
    assert not findings, "\n".join((rule.__doc__ or "", *findings))


@pytest.mark.parametrize(("rule", "name", "source"), BROKEN)
def test_a_broken_module_is_found(rule: Rule, name: str, source: str) -> None:
    assert list(rule(parse(name, source)))


@pytest.mark.parametrize(("rule", "name", "source"), SOUND)
def test_a_sound_module_is_left_alone(rule: Rule, name: str, source: str) -> None:
    assert not list(rule(parse(name, source)))


def test_every_rule_has_a_broken_example() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_the_house_was_found() -> None:
    assert {"shoal.errors", "tests.test_architecture"} <= {module.name for module in modules()}


def test_no_import_goes_round() -> None:
    assert cycles([parse("a.x", "from a import y"), parse("a.y", "import b"), parse("b", "import a.x")])
    assert not cycles(modules())


def test_each_client_library_has_one_home() -> None:
    assert one_home([parse("shoal.drivers.nats", "import nats.js"), parse("shoal.mail.send", "from nats import js")])
    assert not one_home(modules())


def test_no_file_names_a_registry() -> None:
    assert registries("x", f"see https://{REGISTRIES[0]}/")
    assert not [finding for name, text in texts() for finding in registries(name, text)]


def test_the_page_has_every_package_and_what_it_reads() -> None:
    allowed = {name: others - {"errors"} for name, others in ALLOWED.items() if name}
    assert reads(PAGE) == allowed
    assert set(allowed) == {module.package for module in modules() if module.name.startswith("shoal.")}


def test_the_page_names_nothing_that_is_not_there() -> None:
    assert absent("`model/plan.py`, `runtime/novelty.py`, `drivers/x/`, `deploy/novelty/`") == [
        "runtime/novelty.py",
        "deploy/novelty/",
    ]
    assert not absent(PAGE)
