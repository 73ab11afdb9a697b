"""What is written for two services, to be read; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

from shoal import files
from shoal.deploy.aws.settings import Environment, Standby
from tests.deploy.aws.samples import artifacts
from tests.deploy.samples import CAFE
from tests.deploy.test_golden import kept

GOLDEN = Path(__file__).parents[2] / "golden" / "aws" / "cafe"
PRODUCTION = Environment(name="production", hosts=("cafe.example",), repository="example/cafe")


SECOND = Environment(
    name="production", hosts=("cafe.example",), zone="Z0123456789ABC", repository="example/cafe",
    standby=Standby(region="eu-west-1"),
)  # fmt: skip


def test_the_cafe_is_the_golden_one() -> None:
    made = {artifact.path: artifact.text for artifact in artifacts(CAFE, PRODUCTION)}
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(GOLDEN, artifacts(CAFE, PRODUCTION))
    found = kept(GOLDEN)
    assert sorted(made) == sorted(found), "a golden is missing, or an orphan"
    for path, text in made.items():
        assert text == found[path], path


def test_its_second_region_is_the_golden_one() -> None:
    folder = GOLDEN.parent / "cafe-standby"
    whole = [artifact for artifact in artifacts(CAFE, SECOND) if artifact.path.startswith("production/standby/")]
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(folder, whole)
    assert {artifact.path: artifact.text for artifact in whole} == kept(folder)
