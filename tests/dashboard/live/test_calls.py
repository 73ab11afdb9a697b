"""What the explorer makes of answers, however large, deep, endless or broken."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from shoal import model
from shoal.dashboard.live import calls
from shoal.dashboard.live.calls import LARGEST, Wish, call
from shoal.dashboard.live.running import Live
from shoal.errors import HostError
from shoal.local.state import RunState
from shoal.operating.where import Project

ASK = model.Endpoint(name="ask", method="GET", path="/ask", access=model.Access(kind="anyone"))
VILLAGE = model.System(name="village", services=(model.Service(name="stock", entry="s:s", endpoints=(ASK,)),))


class Town:
    """Stands for what runs; `says` is the next answer, `ends` whether it is told where it ends."""

    def __init__(self) -> None:
        self.says, self.ends, self.claims = b"{}", True, 0
        self.where = Project(root=Path("/"))
        self.url = ""
        self.quit = threading.Event()

    def running(self) -> RunState:
        return RunState(system="village", root="/", shape="processes", pid=1, gateway=self.url, processes=())

    async def system(self) -> model.System:
        return VILLAGE

    async def ask(self) -> Any:
        told = await call(cast("Live", self), Wish(service="stock", operation="ask"))
        return msgspec.json.decode(msgspec.json.encode(told))


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            if town.ends:
                self.send_header("content-length", str(town.claims or len(town.says)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(town.says)
            self.wfile.flush()
            if not town.ends:
                town.quit.wait(20)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    town.url = f"http://127.0.0.1:{server.server_port}"
    yield town
    town.quit.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("size", [0, 10, LARGEST - 2])
async def test_json_is_shown_as_it_is_up_to_the_bound(town: Town, size: int) -> None:
    town.says = msgspec.json.encode("x" * size)
    told = await town.ask()
    assert (told["data"], told["cut"], told["bytes"]) == ("x" * size, False, size + 2)


async def test_beyond_the_bound_an_answer_is_cut_and_shown_as_text(town: Town) -> None:
    town.says = msgspec.json.encode("ä" * LARGEST)
    told = await town.ask()
    assert (told["data"], told["cut"], told["bytes"]) == (None, True, LARGEST)
    assert told["text"].startswith('"ää')


@pytest.mark.parametrize("body", [b"", b"no json", b"\xff", b"[" * 200_000, b"[" * 200_000 + b"]" * 200_000])
async def test_what_is_no_json_or_nested_too_deep_is_shown_as_text(town: Town, body: bytes) -> None:
    town.says = body
    told = await town.ask()
    assert (told["data"], told["cut"]) == (None, False)
    assert told["text"] == body.decode("utf-8", "replace")


async def test_of_an_answer_that_does_not_end_what_came_is_shown(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.says, town.ends = b"x" * (LARGEST + 5), False
    told = await town.ask()
    assert (told["cut"], told["bytes"]) == (True, LARGEST)
    monkeypatch.setattr(calls, "PATIENCE", 0.2)
    town.says = b"data: 1\n\n"
    told = await town.ask()
    assert (told["cut"], told["text"]) == (True, "data: 1\n\n")
    town.says = b""
    with pytest.raises(HostError, match="no answer"):
        await town.ask()


async def test_an_answer_that_breaks_off_is_told(town: Town) -> None:
    town.claims = 100
    with pytest.raises(HostError, match="no answer"):
        await town.ask()
