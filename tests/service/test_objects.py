"""What authors say about objects is refused where it cannot be meant."""

from typing import Any

import pytest

from shoal import S3, BlobStorage, CloudStorage, Objects, Postgres, Service, anyone, object_kind
from shoal.errors import DeclarationError, PlanError
from shoal.model import plan
from shoal.model.choice import choose
from shoal.model.objects import ObjectsUse
from shoal.model.system import System, from_json, to_json
from shoal.model.target import LOCAL, MEMORY
from shoal.service.describe import describe_service


@object_kind("pictures", largest=5_000, types=["image/png"])
class Picture:
    pass


@object_kind("exports", largest=5_000)
class Export:
    pass


@object_kind("pictures", largest=1)
class Twin:
    pass


gallery = Service("gallery", store=Postgres(), objects=S3(kinds=[Picture, Export], why="browsers fetch them"))
annex = Service("annex", store=Postgres(), objects=CloudStorage(kinds=[Picture]))
cellar = Service("cellar", store=Postgres(), objects=BlobStorage(kinds=[Picture]))


@gallery.get("/pictures", access=anyone)
async def look(pictures: Objects[Picture]) -> None:
    """Ask for a kind that there is."""


def system() -> System:
    return System(name="town", services=(describe_service(gallery), describe_service(annex)))


def test_it_survives_json() -> None:
    found = from_json(to_json(system())).service("gallery").objects
    assert isinstance(found, ObjectsUse)
    assert (found.engine, found.production, found.why) == ("folder", "s3", "browsers fetch them")
    assert [(kind.name, kind.largest, kind.types) for kind in found.kinds] == [
        ("pictures", 5000, ("image/png",)), ("exports", 5000, ()),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"name": "Pictures", "largest": 5}, "no name that every engine takes"),
        ({"name": "a/b", "largest": 5}, "no name that every engine takes"),
        ({"name": "a", "largest": 0}, "cannot have 0 bytes"),
        ({"name": "a", "largest": 5000 * 1024**2 + 1}, "cannot have 5242880001 bytes"),
        ({"name": "a", "largest": 5, "types": ["png"]}, "cannot be 'png'"),
        ({"name": "a", "largest": 5, "types": ["image/PNG"]}, "cannot be 'image/PNG'"),
        ({"name": "a", "largest": 5, "types": "image/png"}, "takes"),
        ({"name": "a", "largest": "5 MB"}, "takes int"),
    ],
)
def test_a_kind_that_cannot_be_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message) as caught:
        object_kind(**said)(Picture)
    assert "test_objects.py" in caught.value.where


shelf = Service("shelf", store=Postgres(), objects=S3(kinds=[Picture, Twin]))
storeless = Service("storeless", objects=S3(kinds=[Picture]))
kindless = Service("kindless", store=Postgres(), objects=S3(kinds=[Picture]))


@kindless.post("/exports")
async def export(exports: Objects[Export]) -> None:
    """Ask for a kind that there is not."""


def test_what_is_no_kind_is_refused() -> None:
    with pytest.raises(DeclarationError, match="DeclarationError is no kind of objects"):
        S3(kinds=[DeclarationError])
    with pytest.raises(DeclarationError, match="two kinds of objects are called pictures"):
        describe_service(shelf)


def test_objects_need_a_store_and_their_kind() -> None:
    with pytest.raises(DeclarationError, match="objects but no store"):
        describe_service(storeless)
    with pytest.raises(DeclarationError, match="takes objects of Export, which kindless does not keep"):
        describe_service(kindless)


def test_an_engine_is_chosen_for_each_service() -> None:
    target = choose(LOCAL, system(), ["annex.objects=s3"])
    decided = plan(system(), target).require()
    engines = {service.name: service.objects and service.objects.engine for service in decided.services}
    assert engines == {"gallery": "folder", "annex": "s3"}
    assert {"objects", "s3"} <= {*decided.engines}
    assert {s.objects and s.objects.engine for s in plan(system(), MEMORY).services} == {"memory-objects"}
    with pytest.raises(DeclarationError, match="no objects engine is called 'dynamodb'"):
        choose(LOCAL, system(), ["annex.objects=dynamodb"])


def test_what_cannot_be_run_here_is_refused_by_the_plan() -> None:
    with pytest.raises(PlanError, match=r"PLAN-OBJECTS-01.*choose folder, s3 or blob"):
        plan(system(), choose(LOCAL, system(), ["annex.objects=gcs"])).require()


def test_each_cloud_has_a_declaration() -> None:
    found = [described.objects for described in map(describe_service, (gallery, annex, cellar))]
    assert [use and (use.engine, use.production) for use in found] == [
        ("folder", "s3"), ("folder", "gcs"), ("folder", "blob"),
    ]  # fmt: skip


def test_the_plan_says_what_an_engine_leaves_to_us() -> None:
    decided = plan(system(), choose(LOCAL, system(), ["annex.objects=blob", "gallery.objects=s3"]))
    said = [(f.severity, f.message) for f in decided.findings if f.code == "PLAN-OBJECTS-02"]
    assert said == [("info", "the objects of annex in blob lack what others have: digests, measured")]
    assert "blob" in decided.require().engines
