"""A service runs as its manifests say: its Jobs, its variables, its port, its probes, its end."""

import asyncio
import functools
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from shoal.drivers import open_store
from shoal.local.engines import nats, start
from shoal.local.ports import free_port
from shoal.local.probe import until
from shoal.model.permissions import permissions
from shoal.model.system import System
from shoal.runtime.schedules.operator import ask, states
from shoal.runtime.tables import table_of
from shoal.service.describe import describe
from tests.deploy import kiosk
from tests.deploy.samples import Document, objects, of_kind, scope_of, written
from tests.runtime.database import Database

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
HOME = Path(__file__).parents[2]
PASSWORD = "a-password"


@dataclass(frozen=True)
class Pod:
    """What a pod of the service would have."""

    system: System
    texts: dict[str, str]
    environ: dict[str, str]
    operator: str
    spec: Document


def model() -> System:
    return describe(kiosk.system)


@pytest_asyncio.fixture(loop_scope="module", scope="module", name="pod")
async def _pod() -> AsyncIterator[Pod]:
    system, texts = model(), written(model())
    (service,) = scope_of(system).plan.services
    assert service.broker is not None
    rights = permissions(service.broker)
    users = (
        nats.NatsUser(name="operator", password=PASSWORD, publish=(">",), subscribe=(">",)),
        nats.NatsUser(name="kiosk", password=PASSWORD, publish=rights.publish, subscribe=rights.subscribe),
    )
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="sh-") as folder:
        port, place = free_port(), Path(folder)
        options = nats.NatsOptions(directory=place / "nats", users=users, port=free_port())
        broker = await start(nats.recipe(options), on_line=lambda _: None)
        database = Database(place)
        await database.start()
        told = dict(line.partition("=")[::2] for line in texts["base/kiosk/settings.env"].splitlines())
        told["SHOAL_LISTEN"] = told["SHOAL_LISTEN"].replace("0.0.0.0:8080", f"127.0.0.1:{port}")
        told |= {"SHOAL_STORE_URL": await database.empty(), "SHOAL_REPLICA": "kiosk-0"}
        told |= {"SHOAL_BROKER_URL": f"nats://kiosk:{PASSWORD}@127.0.0.1:{options.port}"}
        (deployment,) = of_kind(objects(texts), "Deployment")
        operator = f"nats://operator:{PASSWORD}@127.0.0.1:{options.port}"
        yield Pod(system, texts, told, operator, deployment["spec"]["template"]["spec"])
        await database.stop()
        await broker.process.stop()


async def process(command: list[str], environ: dict[str, str]) -> asyncio.subprocess.Process:
    """Run what a container runs, with the variables of its pod and no others."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{HOME / 'src'}:{HOME}"}
    assert command[0] == "python"
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command[1:],
        env=known | environ,
        cwd="/",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def ended(command: list[str], environ: dict[str, str]) -> tuple[int, str]:
    running = await process(command, environ)
    out, _ = await asyncio.wait_for(running.communicate(), 60)
    return running.returncode or 0, out.decode()


def job(pod: Pod, name: str) -> list[str]:
    (found,) = (j for j in of_kind(objects(pod.texts), "Job") if name in j["metadata"]["name"])
    command: list[str] = found["spec"]["template"]["spec"]["containers"][0]["command"]
    return command


async def test_jobs_run_before_the_service_again_and_side_by_side(pod: Pod, tmp_path: Path) -> None:
    file = tmp_path / "streams.json"
    file.write_text(pod.texts["base/streams/streams.json"], "utf-8")
    declare = [str(file) if word.endswith("streams.json") else word for word in job(pod, "declare")]
    for _ in range(2):
        assert await ended(declare, {"SHOAL_BROKER_URL": f"{pod.operator}?replicas=1"}) == (0, "")
    raced = await asyncio.gather(*(ended(job(pod, "migrate"), pod.environ) for _ in range(3)))
    assert [code for code, _ in raced] == [0, 0, 0], raced


async def test_a_job_says_what_it_lacks(pod: Pod, tmp_path: Path) -> None:
    bare = {name: value for name, value in pod.environ.items() if name != "SHOAL_STORE_URL"}
    code, out = await ended(job(pod, "migrate"), bare)
    assert (code, "service kiosk has no store to migrate" in out) == (1, True), out
    code, out = await ended(["python", "-m", "shoal.runtime.declaring", str(tmp_path / "none.json")], {})
    assert (code, "none.json says no streams" in out) == (1, True), out


async def test_a_schedule_runs_in_a_process_of_its_own_when_it_is_due(pod: Pod) -> None:
    (found,) = of_kind(objects(pod.texts), "CronJob")
    command = found["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    code, out = await ended(command, pod.environ)
    assert code == 0, out  # nothing is due
    store = open_store(pod.environ["SHOAL_STORE_URL"])
    await store.open()
    try:
        assert await ask(store, "stock-taking", datetime.now(UTC))
        for _ in range(2):
            code, out = await ended(command, pod.environ)
            assert code == 0, out
        assert (await states(store))["stock-taking"].outcome == "done"
        async with store.session() as session:
            row = await session.get(table_of(kiosk.Sale).table, "years")
        assert row is not None
        assert row["times"] == 1
    finally:
        await store.close()
    code, out = await ended([*command[:-1], "another"], pod.environ)
    assert (code, "kiosk has no schedule another" in out) == (1, True), out


async def test_a_pod_answers_its_probes_works_and_leaves_when_told(pod: Pod) -> None:
    main = pod.spec["containers"][0]
    running = await process(main["command"], pod.environ)
    base = "http://" + pod.environ["SHOAL_LISTEN"].removeprefix("tcp:")
    try:
        async with aiohttp.ClientSession() as client:

            async def answers(path: str, wanted: str = "") -> bool | None:
                try:
                    async with client.get(base + path) as response:
                        return (response.status == 200 and wanted in await response.text()) or None
                except aiohttp.ClientConnectionError:
                    assert running.returncode is None
                    return None

            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                path = main[probe]["httpGet"]["path"]
                assert await until(functools.partial(answers, path))
            async with client.post(f"{base}/sales/times") as sold:
                assert sold.status == 204
            assert await until(functools.partial(answers, "/sales/times", "1"))  # announced, kept, heard
    finally:
        running.send_signal(signal.SIGTERM)
        out, _ = await asyncio.wait_for(running.communicate(), pod.spec["terminationGracePeriodSeconds"])
    assert running.returncode == 0, out.decode()


async def test_the_brokers_find_each_other_by_the_configuration_that_is_written_for_them(
    pod: Pod, tmp_path: Path
) -> None:
    (statefulset,) = of_kind(objects(pod.texts), "StatefulSet")
    made = {e["metadata"]["name"]: e["spec"] for e in of_kind(objects(pod.texts), "ExternalSecret")}
    told = {entry["secretKey"]: PASSWORD for entry in made["nats-passwords"]["data"]}
    peers = re.sub(r"\{\{ [^}]*\}\}", PASSWORD, made["nats-cluster"]["target"]["template"]["data"]["peers.conf"])
    file, streams = tmp_path / "streams.json", pod.texts["base/streams/streams.json"]
    file.write_text(streams, "utf-8")
    clients, routes, watched = ([free_port() for _ in range(3)] for _ in range(3))
    for number, port in enumerate(routes):
        peers = peers.replace(f"nats-{number}.nats-peers:6222", f"127.0.0.1:{port}")
    assert statefulset["spec"]["replicas"] == peers.count("nats://") == 3
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="sh-") as name:
        started = [
            await _server(Path(name), pod.texts["engines/nats/nats.conf"], peers, told, Ports(number, *ports))
            for number, ports in enumerate(zip(clients, routes, watched, strict=True))
        ]
        try:
            async with aiohttp.ClientSession() as client:

                async def together() -> bool | None:
                    async with client.get(f"http://127.0.0.1:{watched[0]}/jsz") as response:
                        meta = (await response.json()).get("meta_cluster", {})
                        return (meta.get("cluster_size") == 3 and bool(meta.get("leader"))) or None

                assert await asyncio.wait_for(until(together), 30)
                declare = [str(file) if word.endswith("streams.json") else word for word in job(pod, "declare")]
                operator = f"nats://operator:{PASSWORD}@127.0.0.1:{clients[0]}?replicas=3"
                assert await ended(declare, {"SHOAL_BROKER_URL": operator}) == (0, "")
                asked = f"http://127.0.0.1:{watched[0]}/jsz?streams=1&config=1&accounts=1"
                async with client.get(asked) as response:
                    known = (await response.json())["account_details"]
                kept = [stream["config"]["num_replicas"] for account in known for stream in account["stream_detail"]]
                assert kept == [3] * len(json.loads(streams)["streams"])
        finally:
            for one in started:
                one.terminate()
                await one.wait()


class Ports(NamedTuple):
    """One server of the cluster, and where it listens here."""

    number: int
    client: int
    route: int
    monitoring: int


async def _server(home: Path, text: str, peers: str, told: dict[str, str], ports: Ports) -> asyncio.subprocess.Process:
    """Start a server as its pod would, but on loopback."""
    folder = home / str(ports.number)
    for name in ("nats", "nats-cluster", "data"):
        (folder / name).mkdir(parents=True)
    for old, new in (
        ("port: 4222", f"host: 127.0.0.1\nport: {ports.client}"),
        ("http_port: 8222", f"http: 127.0.0.1:{ports.monitoring}"),
        ("port: 6222", f"host: 127.0.0.1\n  port: {ports.route}"),
        ("/tmp/nats.pid", str(folder / "pid")),  # noqa: S108 - of the pod
        ("/data", str(folder / "data")),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "nats-cluster" / "peers.conf").write_text(peers, "utf-8")
    (folder / "nats" / "nats.conf").write_text(text, "utf-8")
    environ = {**told, "POD_NAME": f"nats-{ports.number}"}
    program = (str(nats.locate()), "--config", str(folder / "nats" / "nats.conf"))
    quiet = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(*program, env=environ, stdout=quiet, stderr=quiet)
