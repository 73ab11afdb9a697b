"""What is written for two services, to be read; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

from shoal import files
from shoal.deploy.gcp.settings import Environment
from tests.deploy.gcp.samples import artifacts
from tests.deploy.samples import CAFE
from tests.deploy.test_golden import kept

GOLDEN = Path(__file__).parents[2] / "golden" / "gcp" / "cafe"
PRODUCTION = Environment(name="production", hosts=("cafe.example",), repository="example/cafe")
DEV = Environment(name="dev", protected=False, least=0, keys=False)


def test_the_cafe_is_the_golden_one() -> None:
    made = {artifact.path: artifact.text for artifact in artifacts(CAFE, PRODUCTION, DEV)}
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(GOLDEN, artifacts(CAFE, PRODUCTION, DEV))
    found = kept(GOLDEN)
    assert sorted(made) == sorted(found), "a golden is missing, or an orphan"
    for path, text in made.items():
        assert text == found[path], path
