"""Names stay within Azure's limits and apart from each other; settings that Azure would refuse are refused here."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.azure import naming
from shoal.deploy.azure.called import called
from shoal.deploy.azure.settings import Environment, Size, read
from shoal.errors import DeclarationError
from shoal.model.system import System
from tests.deploy.azure.samples import scope_of

LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
WORLD = {
    "vault": r"[a-z](-?[a-z0-9]){2,23}",
    "registry": r"[a-z0-9]{5,50}",
    "account": r"[a-z0-9]{3,24}",
    "bus": r"[a-z](-?[a-z0-9]){5,49}",
    "postgres": r"[a-z0-9](-?[a-z0-9]){2,62}",
    "cache": r"[a-z0-9](-?[a-z0-9]){0,59}",
    "door": r"[a-z](-?[a-z0-9]){0,49}",
    "workload": r"[a-z](-?[a-z0-9]){0,31}",
    "job": r"[a-z](-?[a-z0-9]){0,31}",
    "place": r"[a-z](-?[a-z0-9]){0,31}",
}
"""Kind → what Azure takes ("Naming rules and restrictions for Azure resources")."""


@given(LABELS, LABELS, LABELS, st.sampled_from(tuple(WORLD)))
def test_names_fit(system: str, environment: str, service: str, kind: str) -> None:
    scope = scope_of(System(name=system, services=()), Environment(name=environment))
    name = called(scope, kind, service)
    assert re.fullmatch(WORLD[kind], name), (kind, name)
    assert "--" not in name


@given(LABELS, LABELS, LABELS, st.sampled_from(("account", "postgres", "cache", "identity")))
def test_services_have_names_of_their_own(system: str, one: str, other: str, kind: str) -> None:
    scope = scope_of(System(name=system, services=()), Environment(name="production"))
    assert len({called(scope, kind, name) for name in (one, other)}) == len({one, other})


def test_two_systems_have_names_apart_and_a_mark_can_be_said() -> None:
    own = scope_of(System(name="shop", services=()), Environment(name="production"))
    marked = scope_of(System(name="shop", services=()), Environment(name="production", mark="x1"))
    assert called(own, "vault") != called(marked, "vault")
    assert called(marked, "vault").endswith("-x1")


@given(LABELS)
def test_a_service_that_fits_is_called_by_its_own_name(service: str) -> None:
    assert (naming.app(service) == service) == naming.fits(service)


@pytest.mark.parametrize(
    "wrong",
    [
        'region = "East US"', "least = 0", 'cidr = "10.0.0.0/24"', 'hosts = ["shop.example"]', "colour = 3",
        "[services.orders]\ncpu = 256\nmemory = 4096", "least =", 'gateway = "Basic"', 'operators = ["here"]',
        "keep_logs = 7", "keep_backups = 90", 'mark = "Too-long"', "[engines]\npostgres_storage = 20",
        'compute = "functions"',
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_and_named(wrong: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(f'name = "production"\n{wrong}\n', where="targets/azure.toml")
    assert caught.value.where == "targets/azure.toml"


def test_settings_are_read() -> None:
    text = 'name = "production"\nregion = "westeurope"\n[services.orders]\ncpu = 1024\nmemory = 2048\n'
    assert read(text, where="x") == Environment(
        name="production", region="westeurope", services={"orders": Size(cpu=1024, memory=2048)}
    )
