"""The engines of a run tell of themselves."""

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shoal import model
from shoal.cli.program import Global
from shoal.dashboard.scrape.sample import Sample
from shoal.dashboard.scrape.sources import sources
from shoal.local.ports import free_port
from shoal.local.probe import until
from shoal.local.supervisor import Supervisor, running
from shoal.mesh.layout import Tcp
from shoal.model.target import LOCAL, with_options
from shoal.operating.project import read
from tests.mesh.wire import ask

pytestmark = pytest.mark.live


@pytest.fixture(name="place")
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with tempfile.TemporaryDirectory(prefix="sh-", dir="/tmp") as folder:
        place = Path(folder)
        place.chmod(0o755)
        shutil.copy(Path(__file__).parent / "shed.py", place / "shed.py")
        yield place


@pytest.fixture(name="garden")
async def _garden(place: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "shed", raising=False)
    system = read(Global(root=place, system="shed:system"))
    plan = model.plan(system, with_options(LOCAL, port=free_port())).require()
    async with running(plan, place) as supervisor:
        yield supervisor


async def test_every_engine_is_asked_and_answers(garden: Supervisor) -> None:
    edge = Tcp(host="127.0.0.1", port=garden.plan.port)
    for number in range(3):
        assert (await ask(edge, f"PUT /tools/{number}")).status == 204
    told: dict[tuple[str, ...], Sample] = {}

    async def heard() -> bool | None:
        for source in sources(garden.root):
            told.update({(source.engine, s.name, *s.attributes.values()): s for s in await source.ask()})
        return sum(s.value for key, s in told.items() if key[1] == "nats.stream.messages") >= 3 or None

    await until(heard)
    assert {engine for engine, *_ in told} == {"envoy", "nats", "postgresql", "valkey"}
    assert told["envoy", "envoy.cluster.upstream_rq_total", "gateway.shed"].value == 3
    assert told["envoy", "envoy.cluster.membership_healthy", "gateway.shed"].value == 1
    assert told["valkey", "redis.commands.processed"].value > 3
    commits = {key[2]: s.value for key, s in told.items() if key[1] == "postgresql.commits"}
    assert max(value for name, value in commits.items() if "shed" in name) > 3
    assert any(key[1] == "postgresql.backends" and "shed" in key[2] for key in told)
    sessions = {key[2:] for key in told if key[1] == "postgresql.sessions"}
    assert any("shed" in str(of) for of in sessions)
    assert any(key[1] == "nats.consumer.pending" and key[3].startswith("shed") for key in told)
