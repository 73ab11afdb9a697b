"""Files of Bicep name what others make, in an order in which they can be deployed, and say what Terraform says."""

import re

import pytest
from hypothesis import given, settings

from shoal.deploy.azure.bicep.files import PRINTERS, order, split
from shoal.deploy.azure.bicep.secrets import ROLES
from shoal.deploy.azure.hcl.context import Context
from shoal.deploy.azure.hcl.table import PRINTERS as OTHERS
from shoal.deploy.azure.parts import resources
from shoal.deploy.azure.resources import Borrowed, Grade, Password, Right, Secret, Subscription
from shoal.model.system import System
from tests.deploy.azure.samples import CLUSTER, PRODUCTION, SMALL, artifacts, of_kind, scope_of, shops
from tests.deploy.samples import shop
from tests.model.strategies import systems

SYMBOL = re.compile(r"^resource (\w+) '[^']+' (existing )?=", re.MULTILINE)


def test_every_kind_is_written_in_both_languages_but_passwords_and_what_a_second_region_has() -> None:
    assert {*OTHERS} - {*PRINTERS} == {Password, Borrowed}
    assert {right.role for right in of_kind(shops(), Right).values()} <= {*ROLES, *of_kind(shops(), Grade)}


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


def test_what_is_filled_in_by_hand_is_in_no_state_and_stays() -> None:
    texts = [one.text for one in artifacts(shop()) if one.path.endswith(".tf")]
    blocks = [one for text in texts for one in text.split("\n}\n") if 'resource "azurerm_key_vault_secret"' in one]
    by_hand = {one.key for one in of_kind(shops(), Secret).values() if one.text is None}
    assert by_hand
    for one in blocks:
        name = re.search(r'\n  name += "([^"]+)"', one)
        assert name is not None
        if name[1] in by_hand:
            assert re.search(r'\n  value_wo += "to be filled in"', one)
            assert not re.search(r"\n  value +=", one), "Terraform reads what it is told of back into its state"
            assert re.search(r"ignore_changes = \[value, value_wo_version\]", one)
    assert len(blocks) == len(of_kind(shops(), Secret))


def test_a_subscription_lets_through_what_is_declared_from_the_beginning() -> None:
    text = "".join(one.text for one in artifacts(shop()) if one.path.endswith(".bicep"))
    narrow = [one for one in of_kind(shops(), Subscription).values() if one.subjects]
    assert narrow
    closed = re.findall(r"parent: (\w+)\n  name: '\$Default'\n  properties: \{[^}]*sqlExpression: '1=0'", text)
    assert len(closed) == len({*closed}) == len(narrow)
