"""The dashboard's own process on loopback, and a page of it in a browser."""

import asyncio
import contextlib
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from playwright.async_api import Browser, Page, Playwright

from shoal.local.dashboard import Settings
from shoal.local.ports import free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where it is, and how one comes in."""

    url: str
    token: str
    pid: int


@contextlib.asynccontextmanager
async def serving(root: Path, entry: str = "") -> AsyncIterator[Served]:
    """Serve a project; `entry` is the ``module:attribute`` of its declaration."""
    token, port = secrets.token_urlsafe(12), free_port()
    (root / "token").write_text(token)
    settings = Settings(
        folder=str(root / "runs"), port=port, system="bench", key="k", token=str(root / "token"), root=str(root),
        entry=entry,
    )  # fmt: skip
    (root / "settings.json").write_bytes(msgspec.json.encode(settings))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shoal.dashboard", str(root / "settings.json"), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await _until_it_answers(port)
        yield Served(url=f"http://127.0.0.1:{port}", token=token, pid=process.pid)
    finally:
        process.terminate()
        await process.wait()


async def _until_it_answers(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return writer.close()


async def chromium(tool: Playwright) -> Browser:
    """Start the Chromium of this machine, without a screen."""
    return await tool.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
    )


async def opened(browser: Browser, served: Served, path: str) -> Page:
    """Go to a path in a context that has kept nothing."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.goto(f"{served.url}/health")
    await page.goto(f"{served.url}{path}?token={served.token}")
    return page
