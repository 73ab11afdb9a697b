"""What becomes of visitors and of their requests is counted apart."""

import asyncio
from collections.abc import Callable

import pytest

from shoal.errors import ShoalError
from shoal.load import Journey, Left, Load, Persona, Visitor, constant, lognormal
from shoal.load.runner import Order
from shoal.load.summary import glance, summary
from tests.load.runs import carry_out, make
from tests.load.servers import Heard, answer, serving

PROBLEM = b'{"type": "urn:shoal:problem:too-many-requests", "status": 429}'
FEW = Order(rate=200, seconds=0.05, patience=30)

ANSWERS: dict[str, Callable[[], bytes | None]] = {
    "/well": answer,
    "/limited": lambda: answer(429, PROBLEM, "x-trace-id: 0af7651916cd43dd8448eb211c80319c"),
    "/shed": lambda: answer(503, b"no JSON"),
    "/wrong": lambda: answer(500, b"{}"),
    "/gone": lambda: None,
    "/odd": lambda: b"SSH-2.0-OpenSSH\r\n\r\n",
}


async def handle(heard: Heard) -> bytes | None:
    if heard[1] == "/never":
        await asyncio.Event().wait()
    return ANSWERS[heard[1]]()


def journey(path: str, **options: object) -> Journey[None]:
    async def go(visitor: Visitor[None]) -> None:
        await visitor.get(path)

    return Journey(path, go)


@pytest.mark.parametrize(
    ("path", "where", "kind"),
    [
        ("/limited", "refused", "429 too-many-requests"),
        ("/shed", "refused", "503"),
        ("/wrong", "failed", "500"),
        ("/gone", "failed", "connection lost"),
        ("/odd", "failed", "connection lost"),
        ("/never", "failed", "timeout"),
    ],
)
async def test_refusals_and_failures_are_told_apart_with_a_trace_for_each(path: str, where: str, kind: str) -> None:
    order = Order(rate=200, seconds=0.05, patience=0.1 if path == "/never" else 30)
    async with serving(handle) as site:
        found = summary(await carry_out(Load([journey(path)]), site, order), load="x", target="y")
    count = found.total.requests
    assert count > 0
    assert getattr(found.total, where) == {kind: count}
    assert found.ends[path].left == found.ends[path].begun == count
    (problem,) = found.problems
    assert (problem.kind, problem.count, len(problem.trace)) == (kind, count, 32)
    assert problem.trace == "0af7651916cd43dd8448eb211c80319c" or path != "/limited", "what the answer says"
    assert (found.total.corrected.count == count) is (kind == "timeout"), "quick refusals do not flatter"


async def test_nobody_listens() -> None:
    async with serving(handle) as site:
        pass
    found = summary(await carry_out(Load([journey("/well")]), site, FEW), load="x", target="y")
    assert [kind.partition(" (")[0] for kind in found.total.failed] == ["no connection"]


async def test_visitors_have_tokens_cookies_names_and_data_of_their_own() -> None:
    heard: list[Heard] = []

    async def listen(request: Heard) -> bytes:
        heard.append(request)
        return answer(200, b'{"n": 7}', "Set-Cookie: visit=1; Path=/web; Secure", "Set-Cookie: other=2")

    async def prepare(visitor: Visitor[None]) -> int:
        return int((await visitor.get("/data")).json()["n"])

    names: set[str] = set()

    async def go(visitor: Visitor[int]) -> None:
        names.add(visitor.name)
        assert visitor.data == 7
        await visitor.post("/web/a", json={"x": 1})
        await visitor.get("/web/b")
        visitor.bearer = visitor.token("ada")
        await visitor.get("/elsewhere")

    load = Load([Journey("go", go, persona=Persona(subject="staff", roles=("admin",)))], prepare=prepare)
    async with serving(listen) as site:
        run = await carry_out(load, site, FEW)
    tally = run.recorder.tallies["go"]
    assert tally.finished == tally.begun == len(names) > 0
    assert run.recorder.total().due == 3 * tally.begun, "preparation is not measured"
    first = [request for request in heard if request[1] == "/web/a"]
    assert {h["authorization"] for *_, h, _ in first} == {"Bearer token of staff admin"}
    assert {(b, h["content-type"], "cookie" in h) for *_, h, b in first} == {(b'{"x":1}', "application/json", False)}
    assert {h["cookie"] for _, target, h, _ in heard if target == "/web/b"} == {"visit=1; other=2"}
    last = [h for _, target, h, _ in heard if target == "/elsewhere"]
    assert {(h["cookie"], h["authorization"]) for h in last} == {("other=2", "Bearer token of ada")}
    traces = [h["traceparent"].split("-")[1] for _, target, h, _ in heard if target != "/data"]
    assert len(set(traces)) == len(traces)


async def test_the_same_seed_gives_the_same_visitors() -> None:
    async def visits(seed: int) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        drawing = lognormal(0.001)

        async def go(visitor: Visitor[None]) -> None:
            found[visitor.name.partition("-")[2]] = (visitor.random.random(), drawing.draw(visitor.random))

        async with serving(handle) as site:
            load = Load([Journey("a", go), Journey("b", go)])
            run = await carry_out(load, site, Order(rate=500, seconds=0.05, seed=seed))
        begun = run.recorder.tallies
        return {**found, "begun": (begun["a"].begun, begun["b"].begun)}

    assert await visits(1) == await visits(1) != await visits(2)


async def test_what_was_expected_is_no_failure_and_what_is_caught_ends_nothing() -> None:
    async def go(visitor: Visitor[None]) -> None:
        assert (await visitor.get("/limited", expect=(429,))).status == 429
        with pytest.raises(Left) as left:
            await visitor.get("/wrong")
        assert left.value.answer is not None
        assert left.value.answer.status == 500
        await visitor.get("/well")

    async with serving(handle) as site:
        run = await carry_out(Load([Journey("go", go)]), site, FEW)
    tally, total = run.recorder.tallies["go"], run.recorder.total()
    assert tally.finished == tally.begun > 0
    assert (total.succeeded, total.failed) == (2 * tally.begun, {"500": tally.begun})


async def test_a_journey_with_an_error_makes_the_run_invalid_and_names_its_line() -> None:
    async def go(visitor: Visitor[None]) -> None:
        raise ZeroDivisionError

    async with serving(handle) as site:
        found = summary(await carry_out(Load([Journey("go", go)]), site, FEW), load="x", target="y")
    assert not found.valid
    assert any(f"{__file__}:" in doubt and "ZeroDivisionError" in doubt for doubt in found.doubts)


async def test_who_finds_the_generator_full_is_turned_away_and_the_run_is_not_valid() -> None:
    order = Order(rate=500, seconds=0.1, visitors=1, drain=0.0)
    async with serving(handle) as site:
        found = summary(await carry_out(Load([journey("/never")]), site, order), load="x", target="y")
    ends = found.ends["/never"]
    assert (ends.begun, ends.cut, found.total.cut) == (1, 1, 1)
    assert ends.turned_away > 0
    assert any("turned away" in doubt for doubt in found.doubts)


async def test_a_generator_that_is_late_doubts_itself() -> None:
    import time  # noqa: PLC0415 - what holds up the loop is the point

    async def go(visitor: Visitor[None]) -> None:
        time.sleep(0.05)  # noqa: ASYNC251 - as above
        await visitor.think(constant(0))

    async with serving(handle) as site:
        found = summary(await carry_out(Load([Journey("go", go)]), site, FEW), load="x", target="y")
    assert any("generator was late" in doubt for doubt in found.doubts)


async def test_a_run_ends_when_it_is_told_to_and_can_be_looked_at_before() -> None:
    stop = asyncio.Event()

    async def go(visitor: Visitor[None]) -> None:
        await visitor.get("/well")
        stop.set()
        await visitor.get("/never")

    async with serving(handle) as site:
        run = make(Load([Journey("go", go)]), site, Order(rate=100))
        assert glance(run).seconds == 0
        await run.drive(stop)
    assert run.present == 0
    assert run.recorder.tallies["go"].cut == run.recorder.tallies["go"].begun
    assert glance(run).parts[0].requests == run.recorder.total().due > 0


async def test_a_run_can_be_ended_before_it_is_prepared() -> None:
    stop = asyncio.Event()

    async def prepare(visitor: Visitor[None]) -> None:
        stop.set()
        await visitor.get("/never")

    async with serving(handle) as site:
        run = make(Load([journey("/well")], prepare=prepare), site, FEW)
        await run.drive(stop)
    assert summary(run, load="x", target="y").total.requests == 0


async def test_a_load_that_cannot_be_prepared_says_why() -> None:
    async def prepare(visitor: Visitor[None]) -> None:
        await visitor.get("/wrong")

    async with serving(handle) as site:
        with pytest.raises(ShoalError, match="GET /wrong: 500"):
            await carry_out(Load([journey("/well")], prepare=prepare), site, FEW)
