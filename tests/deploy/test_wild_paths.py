"""A path leads to what is declared and no further, whatever signs a door has for anything."""

import pytest

from shoal.deploy.azure import compile as azure
from shoal.deploy.gcp import compile as gcp
from shoal.model.service import Service
from shoal.model.system import System
from tests.deploy.azure.samples import scope_of as on_azure
from tests.deploy.gcp.samples import SMALL
from tests.deploy.gcp.samples import scope_of as on_google
from tests.deploy.samples import endpoint


@pytest.mark.parametrize(("path", "refused"), [("/files/*", True), ("/a/{x}/**", True), ("/files/{name}", False)])
def test_a_sign_for_anything_is_refused_where_a_door_would_take_it_so(path: str, refused: bool) -> None:
    system = System(name="cafe", services=(Service(name="till", entry="a:b", endpoints=(endpoint("x", "GET", path),)),))
    said = {one.code: one.severity for one in azure.findings([on_azure(system)])}
    assert said.get("DEPLOY-AZURE-22") == ("error" if refused else None)
    for scope in (on_google(system), on_google(system, SMALL)):
        said = {one.code: one.severity for one in gcp.findings([scope])}
        assert said.get("DEPLOY-GCP-29") == ("error" if refused else None)
