"""Single processes of a running system on request: stopped, started, looked at; and services with more replicas."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from shoal.errors import DeclarationError, ShoalError
from shoal.local.canary import Hold
from shoal.local.control import Handler
from shoal.local.replicas import Replicas
from shoal.local.unit import Unit
from shoal.telemetry.masking import HIDDEN, Mask, is_secret

MOST = 16
"""Replicas of one service on one machine."""


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """How a process was started; values of its environment that are secret are hidden."""

    argv: tuple[str, ...]
    folder: str
    environment: dict[str, str]


class Processes:
    """Changes one thing at a time.

    Attributes:
        wishes: What can be asked for, by name, as `shoal.local.control.serve` takes it.
    """

    def __init__(self, hold: Hold) -> None:
        self._hold, self._turn = hold, asyncio.Lock()
        self.wishes: Mapping[str, Handler] = {
            "process.stop": self._stop,
            "process.start": self._start,
            "process.restart": self._restart,
            "process.show": self._show,
            "service.reload": self._reload,
            "service.scale": self._scale,
        }

    async def _stop(self, values: Mapping[str, Any]) -> object:
        """Let a process end, and keep it ended."""
        unit = self._unit(values)
        async with self._turn:
            await unit.stop()
        return unit.state

    async def _start(self, values: Mapping[str, Any]) -> object:
        """Start a process that has ended, and keep it alive; one that fails is tried again as it would be anyway."""
        unit = self._unit(values)
        async with self._turn:
            if unit.kept:
                unit.hurry()
            else:
                await _begin(unit)
        return unit.state

    async def _restart(self, values: Mapping[str, Any]) -> object:
        """Let a process end and start it."""
        unit = self._unit(values)
        async with self._turn:
            await unit.stop()
            await _begin(unit)
        return unit.state

    async def _show(self, values: Mapping[str, Any]) -> object:
        unit, mask = self._unit(values), Mask()
        command = unit.command
        if command is None:
            raise DeclarationError(f"{unit.state.name} was not started yet", hint="see `shoal ps`")
        return Started(
            argv=tuple(mask.text(word) for word in command.argv),
            folder=str(command.cwd),
            environment={name: _masked(mask, name, command.env[name]) for name in sorted(command.env)},
        )

    async def _reload(self, values: Mapping[str, Any]) -> object:
        return await self._replicas(values).reload()

    async def _scale(self, values: Mapping[str, Any]) -> object:
        replicas, count = self._replicas(values), values.get("replicas")
        if not isinstance(count, int) or not 1 <= count <= MOST:
            raise DeclarationError(f"{count!r} is no number of replicas", hint=f"from 1 to {MOST}")
        await replicas.scale(count)
        return [unit.state for unit in replicas.units]

    def _unit(self, values: Mapping[str, Any]) -> Unit:
        name = str(values.get("name", ""))
        found = next((unit for unit in self._hold.units() if unit.state.name == name), None)
        if found is None:
            raise DeclarationError(f"no process is called {name!r}", hint="see `shoal ps`")
        return found

    def _replicas(self, values: Mapping[str, Any]) -> Replicas:
        name = str(values.get("service", ""))
        found = self._hold.services.get(name)
        if found is None:
            raise DeclarationError(f"no process of its own runs {name!r}", hint="see `shoal ps`")
        return found


async def _begin(unit: Unit) -> None:
    try:
        await unit.start()
    except ShoalError:
        if unit.job.kind == "service":
            unit.keep()
        raise
    unit.keep()


def _masked(mask: Mask, name: str, value: str) -> str:
    hidden = is_secret(name) or name.upper().endswith(("_KEY", "_TOKEN"))
    return HIDDEN if hidden else mask.text(value)
