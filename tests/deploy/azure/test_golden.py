"""What is written for two services, to be read; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

from shoal import files
from shoal.deploy.azure.settings import Environment
from tests.deploy.azure.samples import artifacts
from tests.deploy.samples import CAFE
from tests.deploy.test_golden import kept

GOLDEN = Path(__file__).parents[2] / "golden" / "azure" / "cafe"
PRODUCTION = Environment(name="production", operators=("203.0.113.7",), repository="example/cafe")


def test_the_cafe_is_the_golden_one() -> None:
    made = {artifact.path: artifact.text for artifact in artifacts(CAFE, PRODUCTION)}
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(GOLDEN, artifacts(CAFE, PRODUCTION))
    found = kept(GOLDEN)
    assert sorted(made) == sorted(found), "a golden is missing, or an orphan"
    for path, text in made.items():
        assert text == found[path], path
