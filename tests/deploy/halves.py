"""What is written for an environment with a second region: two root modules, taken apart."""

import re
from collections.abc import Iterable

from shoal.deploy.cloud.settings import STANDBY
from shoal.model.artifact import Artifact

_DECLARED = re.compile(r'^resource "(\w+)" "([\w-]+)" \{\n(.*?)\n\}', re.DOTALL | re.MULTILINE)


def halves(artifacts: Iterable[Artifact]) -> tuple[str, str]:
    """Return the Terraform of the first region, and that of the second."""
    here, there = list[str](), list[str]()
    for one in artifacts:
        if one.path.endswith(".tf"):
            (there if f"/{STANDBY}/" in one.path else here).append(one.text)
    return "\n".join(here), "\n".join(there)


def declared(text: str) -> dict[tuple[str, str], str]:
    """Return the bodies of resources by type and label."""
    return {(kind, label): body for kind, label, body in _DECLARED.findall(text)}
