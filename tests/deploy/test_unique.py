"""No two things on a cloud are called alike, however long the names of a system and its services are."""

import re
from collections import defaultdict

import msgspec
import pytest

from shoal.deploy.aws.settings import ENVIRONMENTS as ON_AWS
from shoal.deploy.azure.settings import ENVIRONMENTS as ON_AZURE
from shoal.deploy.gcp.settings import ENVIRONMENTS as ON_GOOGLE
from shoal.model.artifact import Artifact
from shoal.model.system import System
from tests.deploy.aws import samples as aws
from tests.deploy.azure import samples as azure
from tests.deploy.gcp import samples as google
from tests.deploy.samples import TILL

LONG = "a-name-of-which-somebody-was-very-proud-"[:39]
_RESOURCE = re.compile(r'^resource "(\w+)" "([^"]+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_NAME = re.compile(
    r"^  (name|identifier|family|account_id|secret_id|alarm_name|cluster_identifier|bucket) += (.*)$", re.MULTILINE
)
_WITHIN = re.compile(
    r"^  (?:\w+_id|role|server|instance|managed_zone|network_security_group_name|private_dns_zone_name|zone_name|"
    r"subscription|topic|location|repository|member|service_namespace|scope) += (.*)$",
    re.MULTILINE,
)
"""What something is a part of: names are its own there."""


def _long() -> System:
    """Make a system of two services whose names differ in their last letter."""
    first = msgspec.structs.replace(TILL, name=f"{LONG}x", calls=(), publishes=(), endpoints=TILL.endpoints[3:])
    second = msgspec.structs.replace(first, name=f"{LONG}y", endpoints=())
    return System(name=f"{LONG}s", services=(first, second))


def _twice(artifacts: tuple[Artifact, ...], folder: str) -> dict[tuple[str, ...], list[str]]:
    found: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for artifact in artifacts:
        if artifact.path.startswith(f"{folder}/") and artifact.path.endswith(".tf"):
            for kind, label, body in _RESOURCE.findall(artifact.text):
                parents = sorted(_WITHIN.findall(body))
                for field, name in _NAME.findall(body):
                    found[(kind, field, name, *parents)].append(label)
    return {key: labels for key, labels in found.items() if len(labels) > 1 and "iam" not in key[0]}


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_names_that_are_too_long_are_told_apart(cloud: str) -> None:
    system = _long()
    made = {
        "aws": lambda: aws.artifacts(system, ON_AWS[1]),
        "azure": lambda: azure.artifacts(system, ON_AZURE[1]),
        "gcp": lambda: google.artifacts(system, ON_GOOGLE[1]),
    }[cloud]()
    assert any(one.path.startswith("production/service-") for one in made)
    assert not _twice(made, "production")
