"""What is written for two services, to be read; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

import pytest

from shoal import files
from shoal.deploy.azure.settings import Environment
from tests.deploy.azure.samples import FAR, artifacts
from tests.deploy.samples import CAFE
from tests.deploy.test_golden import kept

GOLDENS = Path(__file__).parents[2] / "golden" / "azure"
PRODUCTION = Environment(name="production", operators=("203.0.113.7",), repository="example/cafe")


@pytest.mark.parametrize(
    ("golden", "environment", "within"), [("cafe", PRODUCTION, ""), ("cafe-standby", FAR, "far/standby/")]
)
def test_the_cafe_is_the_golden_one(golden: str, environment: Environment, within: str) -> None:
    written = [artifact for artifact in artifacts(CAFE, environment) if artifact.path.startswith(within)]
    made = {artifact.path: artifact.text for artifact in written}
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(GOLDENS / golden, written)
    found = kept(GOLDENS / golden)
    assert sorted(made) == sorted(found), "a golden is missing, or an orphan"
    for path, text in made.items():
        assert text == found[path], path
