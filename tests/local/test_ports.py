"""Ports: free ones, busy ones and their holders."""

import os
import socket
import sys
from collections.abc import Iterator

import pytest

from shoal.errors import HostError
from shoal.local.ports import LOOPBACK, check_port, first_free, free_port, is_free, listener

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_free_port_can_be_taken() -> None:
    port = free_port()
    assert is_free(port)
    check_port(port)


def test_a_busy_port_is_refused_with_another_choice(busy: int) -> None:
    assert not is_free(busy)
    with pytest.raises(HostError, match=f"port {busy} is already in use") as caught:
        check_port(busy, option="--edge-port")
    assert f"--edge-port {busy + 1}" in caught.value.hint


@linux_only
def test_who_holds_a_port_is_named(busy: int) -> None:
    holder = listener(busy)
    assert holder is not None
    assert holder[0] == os.getpid()
    with pytest.raises(HostError, match=rf"by {holder[1]} \(pid {os.getpid()}\)"):
        check_port(busy)


def test_nobody_holds_a_free_port() -> None:
    assert listener(free_port()) is None


def test_a_reserved_port_asks_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: tuple[str, int]) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(HostError, match="reserved"):
        check_port(80)


def test_two_who_start_at_once_get_different_ports() -> None:
    wanted = free_port()
    first = first_free(wanted)
    assert first == wanted
    assert first_free(wanted) > wanted  # although nobody listens there yet
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        busy: int = taken.getsockname()[1]
        assert first_free(busy) != busy
