"""`shoal load` without a running system: what it refuses, when it ends with 1, and how two runs look."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shoal.cli.program import main

Run = Callable[..., tuple[int, str, str]]

SYSTEM = """
from shoal import Service, System, anyone

things = Service("things")

@things.get("/things/{name}", access=anyone)
async def show(name: str) -> dict[str, str]:
    return {"name": name}

system = System("small", services=[things])
"""
LOAD = """
from shoal.load import Journey, Load, Visitor, constant

async def look(visitor: Visitor[None]) -> None:
    await visitor.get(f"/things/{visitor.random.choice('ab')}")
    await visitor.think()

load = Load([Journey("look", look, think=constant(0.01))])
"""
FEW = ("--rate", "200", "--for", "100ms", "--seed", "1")


class Server(BaseHTTPRequestHandler):
    """Answers, or refuses when its server says so."""

    protocol_version = "HTTP/1.1"
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the program in a folder with a system and its load; returns exit code, output and error output."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "system.py").write_text(SYSTEM)
    (tmp_path / "load.py").write_text(LOAD)

    def invoke(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(tmp_path), "load", *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield invoke
    for name in ("system", "load", "broken"):
        sys.modules.pop(name, None)


def test_two_runs_are_written_and_compared(run: Run, target: str, tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for file, rate in zip(files, ("200", "100"), strict=True):
        code, out, err = run("--target", target, *FEW, "--rate", rate, "--out", file)
        assert code == 0, err
        assert [word for word in ("look", "things.show", "COUNTED FROM", "generator late") if word not in out] == []
    code, out, err = run("compare", *files)
    assert code == 0, err
    assert out.count(" a  ") == out.count(" b  ") == 7
    assert "\x1b" not in out
    assert "beware: their rates differ: 200.0 and 100.0" in err
    assert json.loads(run("compare", *files, "--json")[1])["rows"][1]["name"] == "things.show"


def test_bounds_decide_about_the_exit_code(run: Run, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "exceeded" not in run("--target", target, *FEW, "--max-p99", "60s", "--max-errors", "0%")[2]
    code, _, err = run("--target", target, *FEW, "--max-p99", "0.001ms")
    assert (code, "exceeded: p99 is" in err) == (1, True)
    monkeypatch.setattr(Server, "status", 429)
    code, out, err = run("--target", target, *FEW, "--max-errors", "99%", "--json")
    assert (code, "exceeded: 100.00%" in err) == (1, True)
    assert set(json.loads(out)["total"]["refused"]) == {"429"}
    assert run("--target", target, *FEW)[0] == 0, "nothing was bounded"


def test_a_journey_with_an_error_ends_with_1_and_its_line(run: Run, target: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(LOAD.replace("await visitor.think()", "1 / 0"))
    code, _, err = run("broken:load", "--target", target, *FEW)
    assert code == 1
    assert "broken.py:6: ZeroDivisionError" in err


def test_ctrl_c_ends_with_the_report(run: Run, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    answer = Server.do_GET

    def interrupting(self: Server) -> None:
        answer(self)
        if not asked.is_set():
            asked.set()
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Server, "do_GET", interrupting)
    code, out, _ = run("--target", target, "--rate", "50")
    assert code == 0
    assert "things.show" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 3, "nothing runs in"),
        (("--target", "http://192.0.2.1:8000"), 3, "is another machine"),
        (("--target", "http://192.0.2.1:8000", "--yes-i-own-it"), 2, "say how long with --for"),
        (("--target", "http://127.0.0.1:1", "nowhere:load"), 2, "nowhere:load"),
        (("nowhere:load", "--target", "http://127.0.0.1:1"), 1, "there is no load nowhere:load"),
        (("system:system", "--target", "http://127.0.0.1:1"), 1, "system:system is no Load"),
        (("--rate", "0"), 2, "--rate"),
        (("--for", "0s", "--target", "http://127.0.0.1:1"), 2, "--for"),
        (("--max-errors", "101%"), 2, "between 0 and 100%"),
        (("--max-errors", "few"), 2, "write 1% or 0.01"),
    ],
)
def test_what_is_refused(run: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    found, _, err = run(*arguments)
    assert (found, said in err) == (code, True), err


def test_what_is_no_result_is_not_compared(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("{}")
    code, _, err = run("compare", str(file), str(file))
    assert code == 1
    assert "is no result of a load" in err
