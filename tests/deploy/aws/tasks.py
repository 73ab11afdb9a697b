"""Definitions of tasks as they are registered at an emulator, run here as ECS would run them."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shoal.deploy.aws.addresses import FILES
from shoal.drivers.aws.client import AwsClient
from shoal.runtime.unpacking import unpack

HOME = Path(__file__).parents[3]
LONGEST = 60.0


class Task:
    """One definition.

    Args:
        definition: As ECS gives it back.
        folder: Stands for the volume of its files.
        told: Variables that ECS adds: who the task is, and that AWS is the emulator.
        secrets: Secrets Manager.
    """

    def __init__(self, definition: dict[str, Any], folder: Path, told: Mapping[str, str], secrets: AwsClient) -> None:
        self.containers = {one["name"]: one for one in definition["containerDefinitions"]}
        self.folder, self.told, self.secrets = folder, told, secrets

    async def prepare(self) -> None:
        """Do what the container does that writes files; it would open the scratch folder, too, which is open here."""
        command = self.containers["prepare"]["command"]
        assert command[:4] == ["python", "-m", "shoal.runtime.unpacking", FILES]
        unpack(self.folder, command[4:], await self._environment("prepare"))

    async def run(self, name: str, **instead: str) -> asyncio.subprocess.Process:
        """Start a container.

        Args:
            name: What it is called in its definition.
            instead: Variables of what is elsewhere on one machine: where it listens, and where others do.
        """
        words, environ = self.containers[name]["command"], await self._environment(name)
        known = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{HOME / 'src'}:{HOME}"}
        assert words[0] == "python"
        return await asyncio.create_subprocess_exec(
            sys.executable, *words[1:], env={**known, **environ, **self.told, **instead}, cwd="/",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def _environment(self, name: str) -> dict[str, str]:
        container = self.containers[name]
        environ = {one["name"]: one["value"] for one in container.get("environment", ())}
        for one in container.get("secrets", ()):
            found = await self.secrets.ask("get_secret_value", SecretId=one["valueFrom"])
            environ[one["name"]] = found["SecretString"]
        return {variable: text.replace(FILES, str(self.folder)) for variable, text in environ.items()}


class Service:
    """One running service, and what it said."""

    def __init__(self, name: str, port: int, process: asyncio.subprocess.Process) -> None:
        self.name, self.port, self._process = name, port, process
        self._said = b""
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, name: str, task: Task, port: int, **instead: str) -> "Service":
        """Start the service's own container."""
        told = {"SHOAL_LISTEN": f"tcp:127.0.0.1:{port}", "SHOAL_REPLICA": f"{name}-0", **instead}
        return cls(name, port, await task.run(name, **told))

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def runs(self) -> None:
        """Fail with what it said, where it has ended."""
        assert self._process.returncode is None, f"{self.name} has ended:\n{self.said()}"

    def said(self) -> str:
        """Return the end of its log."""
        return self._said[-4000:].decode(errors="replace")

    async def stop(self) -> None:
        """End it as ECS does."""
        if self._process.returncode is None:
            self._process.terminate()
        await asyncio.wait_for(self._process.wait(), LONGEST)
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while more := await self._process.stdout.read(65536):
            self._said = (self._said + more)[-65536:]


async def ended(running: asyncio.subprocess.Process) -> None:
    """Wait until a task has done its work."""
    out, _ = await asyncio.wait_for(running.communicate(), LONGEST)
    assert running.returncode == 0, out.decode()
