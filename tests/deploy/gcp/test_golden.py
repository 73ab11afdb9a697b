"""What is written for two services, to be read; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

import pytest

from shoal import files
from shoal.deploy.cloud.settings import Standby
from shoal.deploy.gcp.settings import Environment
from tests.deploy.gcp.samples import artifacts
from tests.deploy.samples import CAFE
from tests.deploy.test_golden import kept

GOLDENS = Path(__file__).parents[2] / "golden" / "gcp"
PRODUCTION = Environment(name="production", hosts=("cafe.example",), repository="example/cafe")
DEV = Environment(name="dev", protected=False, least=0, keys=False)
FAR = Environment(name="far", hosts=("cafe.example",), standby=Standby(region="us-east1"))


@pytest.mark.parametrize(
    ("golden", "environments", "within"), [("cafe", (PRODUCTION, DEV), ""), ("cafe-standby", (FAR,), "far/standby/")]
)
def test_the_cafe_is_the_golden_one(golden: str, environments: tuple[Environment, ...], within: str) -> None:
    found = [artifact for artifact in artifacts(CAFE, *environments) if artifact.path.startswith(within)]
    made = {artifact.path: artifact.text for artifact in found}
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(GOLDENS / golden, found)
    written = kept(GOLDENS / golden)
    assert sorted(made) == sorted(written), "a golden is missing, or an orphan"
    for path, text in made.items():
        assert text == written[path], path
