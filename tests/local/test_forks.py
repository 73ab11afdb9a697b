"""The server that forks services: what it leaves when somebody gives up."""

import asyncio
import gc
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from shoal.local.forks import ForkServer, Program
from shoal.local.process import Command

pytestmark = pytest.mark.asyncio


async def test_whoever_gave_up_waiting_hears_no_more_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    asked, go_on = threading.Event(), threading.Event()
    send = socket.send_fds

    def held(*arguments: Any) -> int:
        asked.set()
        go_on.wait(10)
        return send(*arguments)

    monkeypatch.setattr(socket, "send_fds", held)
    server = ForkServer.start([])
    command = Command(name="till", argv=(sys.executable,), cwd=tmp_path, env={})
    asking = asyncio.create_task(server.fork(command, Program(module="this"), lambda _: None))
    assert await asyncio.to_thread(asked.wait, 10)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    closing = asyncio.create_task(server.close())
    go_on.set()
    await closing
    del server, asking, closing
    gc.collect()
    assert complaints == []
