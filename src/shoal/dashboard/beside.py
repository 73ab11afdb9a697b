"""What the process does beside serving: it follows the gateway's log, watches for what is unusual, asks engines."""

import asyncio
import importlib
from pathlib import Path

from shoal.dashboard.collector.following import follow
from shoal.dashboard.collector.gateway import Gateway
from shoal.dashboard.store import runs
from shoal.dashboard.store.writer import Writer
from shoal.local.dashboard import Settings


async def work_beside(settings: Settings, writer: Writer) -> None:
    """Do all of it until cancelled; what ends for a reason of its own is told, and the rest goes on."""
    chores = {
        "the gateway's spans": _gateway(settings, writer),
        "notices": _notices(settings, writer),
        "metrics of engines": _engines(settings, writer),
    }
    tasks = [asyncio.create_task(chore, name=name) for name, chore in chores.items()]
    for task in tasks:
        task.add_done_callback(_told)
    try:
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def say(text: str) -> None:
    """Write into the log."""
    print(text, flush=True)  # noqa: T201 - its log


def _told(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        say(f"{task.get_name()} have ended: {type(error).__name__}: {error}")


async def _gateway(settings: Settings, writer: Writer) -> None:
    """Turn the gateway's access log into spans, where there is one."""
    if settings.access:
        since = float(runs.facts(writer.file)["started"])
        spans = Gateway(writer, settings.system, Path(settings.routes), since)
        await follow(Path(settings.access), spans.take)


async def _notices(settings: Settings, writer: Writer) -> None:
    """Notice what somebody should hear of, while a system is watched; the pages are told by `server.looks`."""
    if settings.system:
        from shoal.dashboard.notices.watch import watch  # noqa: PLC0415 - a viewer needs none

        await watch(writer.file, writer, say)


async def _engines(settings: Settings, writer: Writer) -> None:
    """Ask the engines of the run what they measure of themselves."""
    if settings.system:
        await asyncio.to_thread(importlib.import_module, "shoal.dashboard.scrape.sources")  # it brings drivers along
        from shoal.dashboard.scrape.rounds import keep_asking  # noqa: PLC0415
        from shoal.dashboard.scrape.sources import sources  # noqa: PLC0415

        await keep_asking(lambda: sources(Path(settings.root)), writer, say)
