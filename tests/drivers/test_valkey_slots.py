"""Commands reach the server of a cluster that has their key, wherever it has gone, or say that nobody has it."""

import asyncio
from collections.abc import Callable

import pytest

from shoal.drivers.valkey.address import read
from shoal.drivers.valkey.cluster import Cluster
from shoal.drivers.valkey.link import Door
from shoal.drivers.valkey.slots import SLOTS, Elsewhere, Node, elsewhere, key_of, shares, slot_of
from shoal.drivers.valkey.wire import Reply
from shoal.errors import DeclarationError, EngineError, Unavailable
from tests.conformance.harness import soon
from tests.listening import listening

HERE = Node("here", 1)


def test_slots_are_those_of_the_specification() -> None:
    assert slot_of("123456789") == 0x31C3 % SLOTS
    assert slot_of("{user1000}.following") == slot_of(b"{user1000}.followers") == slot_of("user1000")
    assert slot_of("foo{}{bar}") != slot_of("bar")
    assert slot_of("foo{{bar}}zap") == slot_of("{bar")
    assert slot_of("foo{bar") == slot_of("{foo{bar}") != slot_of("bar")
    assert key_of(("EVALSHA", "digest", 2, "a", "b", 1)) == "a"
    assert key_of(("GET", b"a")) == b"a"
    assert key_of(("PING",)) is None


def test_what_servers_say_is_read() -> None:
    for said, found in (
        ("MOVED 3999 127.0.0.1:6381", Elsewhere(Node("127.0.0.1", 6381), 3999, for_good=True)),
        ("MOVED 3999 :6381", Elsewhere(Node("here", 6381), 3999, for_good=True)),
        ("ASK 1 ::1:6381", Elsewhere(Node("::1", 6381), 1, for_good=False)),
        ("NOPERM MOVED 1 a:1", None),
    ):
        assert elsewhere(EngineError(f"Valkey refuses: {said}"), HERE) == found
    assert elsewhere(b"MOVED 3999 127.0.0.1:6381", HERE) is None, "a value is none"
    told: Reply = [[0, 1, [b"a", 1, b"id", []], [b"b", 2, b"id", []]], [2, 2, [None, 3, b"id"]], [3, 4, [b"", 4]]]
    assert [*shares(told, HERE)] == [
        (range(2), Node("a", 1)), (range(2, 3), Node("here", 3)), (range(3, 5), Node("here", 4))
    ]  # fmt: skip


@pytest.mark.parametrize(
    "url", ["valkey+cluster://a:b@/c?socket=/d", "valkey://a:b@c,d/e", "valkey+cluster://a,b/c", "valkey+cluster:///c"]
)
def test_addresses_that_make_no_sense_are_refused(url: str) -> None:
    with pytest.raises(DeclarationError, match="names no server"):
        read(url)


def test_an_address_names_some_servers() -> None:
    address = read("valkeys+cluster://u:p%40@one,two:7000,[::1]:7001/shop?within=2")
    assert [(door.host, door.port) for door in address.doors] == [("one", 6379), ("two", 7000), ("::1", 7001)]
    assert all(door.tls is not None and door.password == "p@" and door.within == 2.0 for door in address.doors)
    assert (address.cluster, address.prefix) == (True, "shop:")


Said = Callable[[list[bytes]], bytes | None]


class Played:
    """A server that admits everybody and says what the test wants; None says nothing at all."""

    def __init__(self, said: Said) -> None:
        self.said, self.asked = said, list[list[bytes]]()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            words = []
            for _ in range(int((await reader.readuntil(b"\r\n"))[1:])):
                length = int((await reader.readuntil(b"\r\n"))[1:])
                words.append((await reader.readexactly(length + 2))[:-2])
            if words[0] == b"AUTH":
                writer.write(b"+OK\r\n")
                continue
            self.asked.append(words)
            if (told := self.said(words)) is not None:
                writer.write(told)


def cluster(*ports: int, within: float = 10.0) -> Cluster:
    return Cluster([Door(host="127.0.0.1", port=port, user="u", password="p", within=within) for port in ports])


def all_at(port: int) -> bytes:
    return b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n" % port


async def test_a_command_follows_its_key_and_the_next_one_goes_there_at_once() -> None:
    other = Played(lambda words: b"$1\r\n1\r\n" if words[0] == b"GET" else all_at(there))
    one = Played(lambda words: b"-MOVED 1 127.0.0.1:%d\r\n" % there if words[0] == b"GET" else all_at(knows[-1]))
    async with listening(one) as here, listening(other) as there:
        knows = [here]
        link = cluster(here)
        assert await soon(link.calls([("GET", "a"), ("GET", "b")])) == [b"1", b"1"]
        knows.append(there)
        assert await soon(link.call("GET", "c")) == b"1"
        await link.close()
    assert [words[-1] for words in one.asked] == [b"SLOTS", b"a", b"b", b"SLOTS"]
    assert [words[-1] for words in other.asked] == [b"a", b"b", b"c"]


async def test_a_key_on_its_way_is_asked_for_with_an_announcement_and_the_slot_stays_where_it_is() -> None:
    other = Played(lambda words: b"+OK\r\n" if words == [b"ASKING"] else b":1\r\n")
    one = Played(lambda words: b"-ASK 1 127.0.0.1:%d\r\n" % there if words[0] == b"INCRBY" else all_at(here))
    async with listening(one) as here, listening(other) as there:
        link = cluster(here)
        for _ in range(2):
            assert await soon(link.call("INCRBY", "a", 1)) == 1
        await link.close()
    assert other.asked == [[b"ASKING"], [b"INCRBY", b"a", b"1"]] * 2
    assert [words[0] for words in one.asked] == [b"CLUSTER", b"INCRBY", b"INCRBY"]


@pytest.mark.parametrize("said", ["MOVED 1 127.0.0.1:{port}", "CLUSTERDOWN Hash slot not served", "LOADING it"])
async def test_what_nobody_has_now_is_unavailable(said: str) -> None:
    one = Played(lambda words: f"-{said.format(port=here)}\r\n".encode() if words[0] == b"GET" else all_at(here))
    async with listening(one) as here:
        link = cluster(here)
        with pytest.raises(Unavailable, match="has nobody for a key now"):
            await soon(link.call("GET", "a"))
        await link.close()


async def test_refusals_are_refusals_and_others_are_carried_out() -> None:
    one = Played(lambda words: {b"a": b"-NOPERM\r\n", b"b": b"+OK\r\n"}.get(words[-1], all_at(here)))
    async with listening(one) as here:
        link = cluster(here)
        with pytest.raises(EngineError, match="NOPERM"):
            await soon(link.calls([("GET", "a"), ("GET", "b")]))
        await link.close()
    assert one.asked[-1] == [b"GET", b"b"]


async def test_after_a_server_that_hangs_the_others_are_asked_who_has_its_keys() -> None:
    other = Played(lambda words: b"+ok\r\n" if words[0] == b"GET" else all_at(there))
    one = Played(lambda words: None if len(one.asked) > 1 else all_at(here))
    async with listening(one) as here, listening(other) as there:
        link = cluster(here, there)
        hanging = asyncio.create_task(link.call("GET", "a"))
        while [words[0] for words in one.asked] != [b"CLUSTER", b"GET"]:  # noqa: ASYNC110 - it was asked
            await asyncio.sleep(0)
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        assert await soon(link.call("GET", "a")) == b"ok"
        await link.close()


async def test_a_cluster_that_knows_nothing_says_so() -> None:
    one = Played(lambda _words: b"*0\r\n")
    async with listening(one) as here:
        link = cluster(1, here)
        with pytest.raises(Unavailable, match="knows no server that has keys"):
            await soon(link.call("GET", "a"))
        await link.close()
