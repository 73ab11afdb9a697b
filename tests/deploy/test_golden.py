"""What is written for two services, to be read; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

from shoal import files
from shoal.deploy.kubernetes.settings import Environment
from tests.deploy.samples import CAFE, artifacts, shop, written

GOLDEN = Path(__file__).parent.parent / "golden" / "kubernetes"
DEV, PRODUCTION = (
    Environment(name="dev", least=1, most=2, hosts=("dev.cafe.example",)),
    Environment(name="production", least=3, most=10, hosts=("cafe.example",), engines={"postgres": "managed"}),
)


def kept(folder: Path) -> dict[str, str]:
    return {
        str(f.relative_to(folder)): f.read_text("utf-8")
        for f in folder.rglob("*")
        if f.is_file() and f.name != files.MANIFEST
    }


def test_the_cafe_is_the_golden_one() -> None:
    made = written(CAFE, DEV, PRODUCTION)
    folder = GOLDEN / "cafe"
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(folder, artifacts(CAFE, DEV, PRODUCTION))
    found = kept(folder)
    assert sorted(made) == sorted(found), "a golden is missing, or an orphan"
    for path, text in made.items():
        assert text == found[path], path


def test_a_service_of_the_shop_is_the_golden_one() -> None:
    made = {
        path: text for path, text in written(shop()).items() if "/products/" in path or path.startswith("base/mesh/")
    }
    folder = GOLDEN / "shop"
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        files.write_all(folder, [a for a in artifacts(shop()) if a.path in made])
    found = kept(folder)
    assert sorted(made) == sorted(found), "a golden is missing, or an orphan"
    for path, text in made.items():
        assert text == found[path], path


def test_same_system_same_bytes() -> None:
    assert artifacts(shop()) == artifacts(shop())
    assert artifacts(CAFE, DEV, PRODUCTION) == artifacts(CAFE, DEV, PRODUCTION)


def test_paths_are_sorted_and_each_is_once() -> None:
    paths = [artifact.path for artifact in artifacts(CAFE)]
    assert paths == sorted(set(paths))
