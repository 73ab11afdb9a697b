"""HTTP/1.1 as the generator speaks it, and where it may go."""

import asyncio
import ipaddress
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.errors import HostError
from shoal.load.site import site_of
from shoal.load.wire import Browser, Lost, Site, address_of, written
from tests.load.servers import Heard, answer, serving


async def test_a_browser_keeps_its_connection_until_the_server_ends_it() -> None:
    said = [
        b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + answer(200, b"one"),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n",
        answer(200, b"three", "connection: close"),
        b"HTTP/1.1 204 Nothing\r\n\r\n",
        None,
    ]
    asked: list[str] = []
    connections = set()

    async def handle(heard: Heard) -> bytes | None:
        asked.append(heard[1])
        connections.add(asyncio.current_task())
        return said[len(asked) - 1]

    async with serving(handle) as site:
        browser = Browser(site, 1)
        found = [(await browser.ask("GET", f"/{n}", {}, b"")).body for n in range(4)]
        with pytest.raises(Lost):
            await browser.ask("GET", "/4", {}, b"")
        browser.close()
    assert found == [b"one", b"two", b"three", b""]
    assert asked == [f"/{n}" for n in range(5)]
    assert len(connections) == 2


async def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    both = asyncio.Barrier(2)

    async def handle(heard: Heard) -> bytes:
        await both.wait()
        return answer(200, heard[1].encode())

    async with serving(handle) as site:
        browser = Browser(site, 1)
        found = await asyncio.gather(*(browser.ask("GET", path, {}, b"") for path in ("/a", "/b")))
        browser.close()
    assert [one.body for one in found] == [b"/a", b"/b"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only 127.0.0.1 is there without being made")
async def test_each_visitor_comes_from_an_address_of_his_own() -> None:
    async def handle(heard: Heard) -> bytes:
        return answer()

    peers = set()
    async with serving(handle) as site:
        many = Site(host=site.host, port=site.port, authority="x", many_addresses=True)
        for number in (1, 2, 70_000):
            browser = Browser(many, number)
            await browser.ask("GET", "/", {}, b"")
            peers.add(browser._all[0]._transport.get_extra_info("sockname")[0])  # type: ignore[union-attr]
            browser.close()
    assert peers == {address_of(number) for number in (1, 2, 70_000)}
    assert len(peers) == 3


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 2**40))
def test_addresses_are_of_this_machine(number: int) -> None:
    address = ipaddress.ip_address(address_of(number))
    assert address.is_loopback
    assert str(address) not in ("127.0.0.1", "127.255.255.255")


@settings(deadline=None)  # the machine may be busy
@given(st.text(alphabet="a/?=\r\n \tZ", max_size=20), st.text(alphabet="a:\r\n", max_size=8))
def test_one_request_never_becomes_two(target: str, value: str) -> None:
    try:
        sent = written("host", "GET", "/" + target, {"x": value}, b"")
    except ValueError:
        return
    assert sent.count(b"\r\n") == 4
    assert sent.endswith(b"\r\n\r\n")
    assert len(sent.split(b"\r\n")[0].split(b" ")) == 3


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost:8000/", "http://127.8.9.1", "http://[::1]:80"]
)
def test_this_machine_may_be_loaded(url: str) -> None:
    assert site_of(url).here


OTHERS = ("http://192.0.2.7:8000", "http://0.0.0.0:8000", "https://[2001:db8::1]", "http://127.0.0.1@192.0.2.7")


@pytest.mark.parametrize("url", OTHERS)
def test_another_machine_is_loaded_only_by_its_owner(url: str) -> None:
    with pytest.raises(HostError, match="another machine") as refused:
        site_of(url)
    assert "--yes-i-own-it" in refused.value.hint
    site = site_of(url, owned=True)
    assert (site.here, site.many_addresses) == (False, False)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://127.0.0.1:99999", "http://127.0.0.1/x"]
)
def test_what_is_no_site_is_refused(url: str) -> None:
    with pytest.raises(HostError):
        site_of(url, owned=True)
