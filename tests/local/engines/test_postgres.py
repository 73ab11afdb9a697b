"""PostgreSQL as it is shipped: cluster, passwords, crashes, and every kind of user."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shoal.errors import EngineError, HostError
from shoal.local import drop, privilege, reaper
from shoal.local.engines import Running, postgres, start
from shoal.local.engines.postgres import PostgresOptions
from shoal.local.guardian import Guardian
from shoal.local.probe import until

pytestmark = pytest.mark.live

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
ORDINARY_USER = """
import asyncio, os, sys
from pathlib import Path
from shoal.local.engines import postgres, start

async def main():
    place = Path(sys.argv[1])
    options = postgres.PostgresOptions(data=place / "data", sockets=place / "run", password="p")
    running = await start(postgres.recipe(options), on_line=print)
    print("uid", os.geteuid(), (await running.process.stop()))

asyncio.run(main())
"""


@pytest.fixture
def options(place: Path) -> PostgresOptions:
    return PostgresOptions(data=place / "pg" / "data", sockets=place / "run", password="it's a secret")


@asynccontextmanager
async def running(options: PostgresOptions, output: list[str]) -> AsyncIterator[Running]:
    found = await start(postgres.recipe(options), on_line=output.append)
    try:
        yield found
    finally:
        await found.process.stop()


async def client(options: PostgresOptions, **changes: Any) -> "asyncpg.Connection[asyncpg.Record]":
    arguments = {"user": "postgres", "password": options.password, "database": "postgres"} | changes
    return await asyncpg.connect(host=str(options.sockets), port=options.port, **arguments)


def templates(cache: Path) -> list[int]:
    return [path.stat().st_ino for path in cache.glob("shoal/postgres-*/template")]


async def ask(options: PostgresOptions, sql: str) -> Any:
    connection = await client(options)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_cluster_is_durable_private_and_keeps_its_data(options: PostgresOptions, output: list[str]) -> None:
    async with running(options, output) as server:
        assert f"host={options.sockets}" in server.addresses["postgres"]
        assert options.password not in server.addresses["postgres"]
        assert await ask(options, "SELECT current_setting('fsync') || current_setting('synchronous_commit')") == "onon"
        assert await ask(options, "SELECT current_setting('listen_addresses')") == ""
        assert await ask(options, "SELECT upper('é') || pg_encoding_to_char(6)") == "ÉUTF8"
        await ask(options, "CREATE TABLE kept AS SELECT 42 AS answer")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await client(options, password="wrong")
    assert options.data.stat().st_mode & 0o077 == 0
    async with running(options, output):
        assert await ask(options, "SELECT answer FROM kept") == 42


async def test_settings_of_the_caller_win(options: PostgresOptions, output: list[str]) -> None:
    changed = replace(options, max_connections=17, settings=(("work_mem", "5MB"),), port=6000)
    async with running(changed, output):
        assert await ask(changed, "SELECT current_setting('max_connections') || current_setting('work_mem')") == "175MB"


async def test_a_second_cluster_is_copied_from_the_template(
    options: PostgresOptions, place: Path, output: list[str], cache: Path
) -> None:
    other = replace(options, data=place / "other" / "data", sockets=place / "run2", password="other")
    async with running(options, output):
        before = templates(cache)
        async with running(other, output):
            assert await ask(other, "SELECT 1") == 1
    assert len(before) == 1
    assert templates(cache) == before


async def test_clusters_can_be_made_at_the_same_time(place: Path, output: list[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "empty"))
    both = [PostgresOptions(data=place / name / "data", sockets=place / f"s{name}", password=name) for name in "ab"]
    servers = await asyncio.gather(*(start(postgres.recipe(one), on_line=output.append) for one in both))
    assert [await ask(one, "SELECT 1") for one in both] == [1, 1]
    await asyncio.gather(*(server.process.stop() for server in servers))


async def test_a_cluster_is_made_without_a_cache_and_after_an_interrupted_attempt(
    options: PostgresOptions, output: list[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    (options.data.parent / ".data-new-left").mkdir(parents=True)
    async with running(options, output):
        assert await ask(options, "SELECT 1") == 1
    assert [path.name for path in options.data.parent.iterdir()] == ["data"]


async def test_a_busy_server_killed_at_once_starts_again_at_once(options: PostgresOptions, output: list[str]) -> None:
    first = await start(postgres.recipe(options), on_line=output.append)
    await ask(options, "CREATE TABLE kept AS SELECT 42 AS answer")
    busy = await client(options)
    pid = await busy.fetchval("SELECT pg_backend_pid()")
    query = asyncio.ensure_future(
        # Arithmetic without a wait: this backend does not notice that its parent has died.
        busy.fetchval("SELECT count(*) FROM generate_series(1, 2000000000) AS n WHERE sqrt(n) < 0")
    )
    await _active(options, pid)
    os.kill(first.process.pid, signal.SIGKILL)
    assert await first.process.wait() == -signal.SIGKILL
    assert reaper.born(pid)
    async with running(options, output):
        assert await ask(options, "SELECT answer FROM kept") == 42
    assert not reaper.born(pid)
    busy.terminate()
    await asyncio.gather(query, return_exceptions=True)


async def _active(options: PostgresOptions, pid: int) -> None:
    async def check() -> bool | None:
        sql = f"SELECT state = 'active' AND query LIKE '%series%' FROM pg_stat_activity WHERE pid = {pid}"  # noqa: S608 - a number
        return await ask(options, sql) or None

    async with asyncio.timeout(20):
        await until(check)


async def test_the_guardian_ends_a_server_with_all_its_backends(
    options: PostgresOptions, output: list[str], place: Path
) -> None:
    guardian = await Guardian.start(place / "processes")
    server = await start(postgres.recipe(options), on_line=output.append, guardian=guardian)
    family = reaper.family(server.process.pid)
    assert len(family) > 5
    await guardian.close()
    assert await server.process.wait() >= 0
    assert not any(reaper.born(pid) for pid in family)
    async with running(options, output):
        assert await ask(options, "SELECT 1") == 1


async def test_a_stopped_server_ends_in_order(options: PostgresOptions, output: list[str]) -> None:
    server = await start(postgres.recipe(options), on_line=output.append)
    assert await server.process.stop() == 0
    assert any("database system is shut down" in line for line in output)


async def test_data_of_another_major_version_is_refused(options: PostgresOptions, output: list[str]) -> None:
    options.data.mkdir(parents=True)
    (options.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(HostError, match="was made by PostgreSQL 9; the installed wheel is PostgreSQL"):
        await start(postgres.recipe(options), on_line=output.append)


async def test_a_directory_that_is_no_cluster_is_not_overwritten(options: PostgresOptions, output: list[str]) -> None:
    options.data.mkdir(parents=True)
    (options.data / "diary.txt").write_text("dear diary")
    with pytest.raises(EngineError, match="cannot put the new cluster"):
        await start(postgres.recipe(options), on_line=output.append)
    assert (options.data / "diary.txt").read_text() == "dear diary"


async def test_a_long_socket_path_is_refused(options: PostgresOptions) -> None:
    with pytest.raises(HostError, match="UNIX sockets allow"):
        await postgres.prepare(replace(options, sockets=Path("/tmp") / ("x" * 100)))  # noqa: S108 - never made


def test_the_password_is_not_shown(options: PostgresOptions) -> None:
    assert options.password not in repr(options)


@root_only
async def test_root_becomes_nobody_where_namespaces_are_forbidden(
    options: PostgresOptions, output: list[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(privilege, "_NAMESPACE", ("/nonexistent/unshare",))
    async with running(options, output):
        assert await ask(options, "SELECT 1") == 1
    assert options.data.stat().st_uid != 0
    async with running(options, output):
        assert await ask(options, "SELECT 1") == 1


@root_only
async def test_root_is_told_which_directory_is_closed(options: PostgresOptions, place: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(privilege, "_NAMESPACE", ("/nonexistent/unshare",))
    os.chmod(place, 0o700)  # noqa: PTH101 - the test has nothing else to do
    with pytest.raises(HostError, match=f"nobody cannot enter {place}") as caught:
        await postgres.prepare(options)
    assert "ordinary user" in caught.value.hint


@root_only
def test_an_ordinary_user_needs_nothing_special(place: Path) -> None:
    nobody = (str(Path(drop.__file__)), "65534", "65534")
    interpreter = _interpreter_for_everybody()
    home = place / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    finished = subprocess.run(  # noqa: S603 - our own arguments
        (sys.executable, "-I", *nobody, interpreter, "-c", ORDINARY_USER, str(home)),
        env={"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        timeout=120,
    )
    assert "uid 65534 0" in finished.stdout, finished.stderr
    assert (home / "data").stat().st_uid == 65534
    assert (home / ".cache" / "shoal").is_dir()


def _interpreter_for_everybody() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        argv = (sys.executable, "-I", str(Path(drop.__file__)), "65534", "65534", path, "-c", "import _ssl")
        if Path(path).exists() and not subprocess.run(argv, check=False, capture_output=True).returncode:  # noqa: S603 - our own arguments
            return path
    pytest.skip("no interpreter here that an ordinary user may run")
