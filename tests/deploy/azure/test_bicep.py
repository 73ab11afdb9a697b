"""Files of Bicep name what others make, in an order in which they can be deployed, and say what Terraform says."""

import re

import pytest
from hypothesis import given, settings

from shoal.deploy.azure.bicep.files import PRINTERS, order, split
from shoal.deploy.azure.bicep.secrets import ROLES
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.hcl.table import PRINTERS as OTHERS
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Borrowed, Password, Right
from shoal.model.system import System
from tests.deploy.azure.samples import CLUSTER, PRODUCTION, SMALL, artifacts, of_kind, scope_of, shops
from tests.deploy.samples import shop
from tests.model.strategies import systems

SYMBOL = re.compile(r"^resource (\w+) '[^']+' (existing )?=", re.MULTILINE)


def test_every_kind_is_written_in_both_languages_but_passwords_and_what_a_second_region_has() -> None:
    assert {*OTHERS} - {*PRINTERS} == {Password, Borrowed}
    assert {right.role for right in of_kind(shops(), Right).values()} <= {*ROLES}


@given(systems())
@settings(max_examples=10, deadline=None)
def test_files_can_be_deployed_one_after_the_other(system: System) -> None:
    for environment in (PRODUCTION, SMALL, CLUSTER):
        scope = scope_of(system, environment)
        files = split(Context(scope=scope, resources=resources(scope)))
        seen: set[str] = set()
        for name, before in order(files):
            assert seen >= {*before}
            seen.add(name)
        assert seen == {*files}
        made = {one for file in files.values() for one in file.made}
        asked = {one for file in files.values() for one in file.references.asked}
        assert asked <= made


@pytest.mark.parametrize("environment", [PRODUCTION, CLUSTER], ids=lambda one: one.name)
def test_what_a_file_names_it_declares_once(environment: object) -> None:
    for one in artifacts(shop(), environment):  # type: ignore[arg-type]
        if one.path.endswith(".bicep") and not one.path.endswith("main.bicep"):
            symbols = [found[0] for found in SYMBOL.findall(one.text)]
            assert len({*symbols}) == len(symbols), one.path
            parents = set(re.findall(r"parent: (\w+)", one.text))
            assert parents <= {*symbols}, one.path


def test_no_password_is_in_any_file() -> None:
    for one in artifacts(shop()):
        if one.path.endswith(".bicep"):
            assert "administratorLoginPassword: '" not in one.text
            assert not re.search(r"value: '[a-z]+://[^$\n]*:[^$\n]*@", one.text)
