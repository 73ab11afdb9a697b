"""Calls, chains and circles of a system, with their places."""

from pathlib import Path

import msgspec

from shoal.check.finding import Place
from shoal.check.graph import Graph
from shoal.check.source import Source
from shoal.cli.checking.project import gather
from shoal.model.service import Access, Call, Endpoint, Service
from shoal.model.system import System
from shoal.operating import project
from shoal.operating.where import Project
from tests.check.projects import importing, written


def service(name: str, *calls: str) -> Service:
    work = Endpoint(name="work", method="GET", path=f"/{name}", access=Access(kind="anyone"), source=f"{name}.py:1")
    made = tuple(Call(service=callee, endpoint="work", source=f"{name}.py:1") for callee in calls)
    return Service(name=name, entry=f"{name}:{name}", endpoints=(work,), calls=made)


def graph(**calls: str) -> Graph:
    """Make a system of which nobody has the source: service → whom it calls."""
    services = tuple(service(name, *callees.split()) for name, callees in calls.items())
    return Graph(System(name="sys", services=services), Source())


def ways(found: Graph) -> list[str]:
    return [" ".join([c[0].handler.service.name, *(s.call.service for s in c)]) for c in found.chains]


def test_the_longest_way_from_each_beginning_is_a_chain() -> None:
    found = graph(aa="bb dd", bb="cc", cc="", dd="", ee="cc")
    assert ways(found) == ["aa bb cc", "ee cc"]


def test_without_a_source_a_handler_may_make_every_call_of_its_service() -> None:
    found = graph(aa="bb", bb="")
    (site,) = found.between["aa", "bb"]
    assert (site.certain, site.where) == (False, Place("aa.py", 1))


def test_a_chain_ends_where_it_comes_back() -> None:
    assert ways(graph(aa="bb", bb="cc", cc="bb")) == ["aa bb cc"]


def test_circles_are_found_by_their_shortest_way() -> None:
    found = graph(aa="bb", bb="cc aa", cc="aa", dd="ee", ee="ff", ff="dd", gg="hh", hh="")
    circles = [{s.handler.service.name for s in circle} for circle in found.cycles]
    assert sorted(map(sorted, circles)) == [["aa", "bb"], ["dd", "ee", "ff"]]


def test_a_chain_may_be_longer_than_the_stack_of_the_interpreter() -> None:
    names = [f"n{number}" for number in range(3000)]
    found = graph(**dict(zip(names, [*names[1:], ""], strict=True)))
    assert [len(chain) for chain in found.chains] == [2999]
    assert not found.cycles


SYSTEM = """
from collections.abc import AsyncIterator
from typing import Protocol
from shoal import Service, System, anyone, contract, get, internal

@contract("far")
class Api(Protocol):
    @get("/one", access=internal)
    async def one(self) -> str: ...

    @get("/two", access=internal)
    async def two(self) -> str: ...

near = Service("near")
far = Service("far")

@far.implements(Api.one)
async def one() -> str: ...

@far.implements(Api.two)
async def two() -> str: ...

@near.get("/certain", access=anyone)
async def certain(api: Api) -> None:
    for _ in range(3):
        await helped(api)

async def helped(api: Api) -> None:
    await api.one()

@near.get("/lost", access=anyone)
async def lost(api: Api) -> None:
    await {handed}

class Books:
    def __init__(self, api: Api) -> None: ...

@near.provide
async def books(api: Api) -> AsyncIterator[Books]:
    yield Books(api)

@near.get("/provided", access=anyone)
async def provided(books: Books) -> None: ...

@near.get("/idle", access=anyone)
async def idle() -> None: ...

def elsewhere(api): ...

system = System("small", services=[near, far])
"""


def sites(root: Path, handed: str = "elsewhere(api)") -> dict[str, list[tuple[str, bool, bool]]]:
    where = Project(root=written(root, {"system.py": SYSTEM.format(handed=handed)}))
    with importing(root):
        subject = gather(where, project.read(where))
    return {
        str(handler): [(f"{site.callee} {site.where.line}", site.certain, site.looped) for site in found]
        for handler, found in subject.graph.sites.items()
    }


def test_calls_are_found_where_they_stand(tmp_path: Path) -> None:
    assert sites(tmp_path)["near.certain"] == [("far.one 29", True, True)]


def test_a_client_that_is_handed_on_may_be_asked_anything(tmp_path: Path) -> None:
    assert sites(tmp_path)["near.lost"] == [("far.one 32", False, False), ("far.two 32", False, False)]


def test_a_handler_that_asks_for_no_client_calls_nobody(tmp_path: Path) -> None:
    assert sites(tmp_path)["near.idle"] == []


def test_what_is_provided_may_ask_whom_its_provider_knows(tmp_path: Path) -> None:
    assert sites(tmp_path)["near.provided"] == [("far.one 43", False, False), ("far.two 43", False, False)]


SAGA = """
from typing import Protocol
import msgspec
from shoal import Postgres, Saga, Service, System, contract, get, internal, retriable, step

@contract("far")
class Api(Protocol):
    @get("/one", access=internal)
    async def one(self) -> str: ...

near, far = Service("near", store=Postgres()), Service("far")

@far.implements(Api.one)
async def one() -> str: ...

class State(msgspec.Struct): ...

@near.saga("trip")
class Trip(Saga[State]):
    async def undo(self, state: State, api: Api) -> None:
        await api.one()

    @step(compensate=undo)
    async def go(self, state: State) -> None: ...

system = System("small", services=[near, far])
"""


def test_what_undoes_a_step_calls_for_itself(tmp_path: Path) -> None:
    where = Project(root=written(tmp_path, {"system.py": SAGA}))
    with importing(tmp_path):
        subject = gather(where, project.read(where))
    assert {str(h): [str(s.where) for s in found] for h, found in subject.graph.sites.items() if found} == {
        "near.trip.undo": ["system.py:21:15"]
    }


def test_what_is_called_in_no_handler_is_a_call_all_the_same() -> None:
    calling = service("aa", "bb")
    idle = msgspec.structs.replace(calling, endpoints=())
    found = Graph(System(name="sys", services=(idle, service("bb"))), Source())
    ((site,),) = found.between.values()
    assert (site.handler.kind, str(site.callee), site.certain) == ("work", "bb.work", False)
