"""The limiter by itself: its arithmetic against a model, the messages and the protocol that it speaks with Envoy."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from hypothesis import given
from hypothesis import strategies as st

from shoal.drivers.valkey.link import Door, Link
from shoal.errors import EngineError
from shoal.local import grpc
from shoal.local.engines import start, valkey
from shoal.local.engines.valkey import ValkeyOptions, ValkeyUser
from shoal.local.limiter import messages, server
from shoal.local.limiter.bucket import COMMANDS, PREFIX, TAKE, key, read
from shoal.local.limiter.messages import Question, Status
from shoal.local.limiter.settings import Bucket, Limits, Settings

USER = ValkeyUser(name="limiter", password="p", keys=(f"{PREFIX}*",), commands=(*COMMANDS, "+multi", "+exec"))
AT = 1_800_000_000_000_000
"""A time, in microseconds."""

TOLERANCE = Fraction(1, 10**9)
"""Part of a token by which the script is early, so that no rounding makes it late."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def link() -> AsyncIterator[Link]:
    with tempfile.TemporaryDirectory(prefix="count") as folder:
        options = ValkeyOptions(directory=Path(folder) / "v", socket=Path(folder) / "s", users=(USER,))
        store = await start(valkey.recipe(options), on_line=lambda _: None)
        found = Link(Door(socket=options.socket, user=USER.name, password=USER.password))
        yield found
        await found.close()
        await store.process.stop()


def model(bucket: Bucket, asked: Sequence[tuple[int, int]]) -> list[tuple[bool, int]]:
    """Tell in exact numbers, for each time and number of tokens, whether they are given and how many are left."""
    tokens, found = Fraction(bucket.size), list[tuple[bool, int]]()
    rate = Fraction(bucket.requests) / (Fraction(bucket.per) * 1_000_000)
    for (before, _), (now, hits) in pairwise([(asked[0][0], 0), *asked]):
        tokens = min(Fraction(bucket.size), tokens + (now - before) * rate)
        passed = tokens + TOLERANCE >= hits
        tokens -= hits if passed else 0
        found.append((passed, int(tokens + TOLERANCE)))
    return found


BUCKETS = st.builds(
    Bucket,
    requests=st.sampled_from([1, 2, 3, 7, 10, 100, 4_096]),
    per=st.sampled_from([0.5, 1.0, 7.0, 60.0, 3600.0, 86_400.0]),
    size=st.integers(1, 12),
)
PAUSES = st.lists(
    st.tuples(st.one_of(st.just(0), st.integers(0, 2_000_000), st.integers(0, 10**11)), st.integers(1, 3)),
    min_size=1,
    max_size=12,
)


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_the_arithmetic_is_that_of_a_bucket(link: Link) -> None:
    """Ask at made-up times, all of an example at once."""
    loop, numbers = asyncio.get_running_loop(), iter(range(10**6))

    async def agree(bucket: Bucket, pauses: list[tuple[int, int]]) -> None:
        now, asked = AT, []
        for pause, hits in pauses:
            now += pause
            asked.append((now, hits))
        name, per_token = f"{PREFIX}{next(numbers)}", bucket.per * 1_000_000 / bucket.requests
        script = f"local now = tonumber(ARGV[4]){TAKE}"
        told = [("EVAL", script, 1, name, repr(per_token), bucket.size, hits, at) for at, hits in asked]
        # Within a transaction no real time passes, in which the store would forget a bucket that is full again.
        *_, replies = await asyncio.gather(*(link.call(*words) for words in [("MULTI",), *told, ("EXEC",)]))
        assert isinstance(replies, list)
        found = [read(one, bucket) for one in replies]
        assert [(status.passed, status.left) for status in found] == model(bucket, asked)
        assert all(status.reset == 0 for status in found if status.left)
        assert all(0 < status.reset <= per_token / 1_000_000 + 1 for status in found if not status.left)

    @given(BUCKETS, PAUSES)
    def every(bucket: Bucket, pauses: list[tuple[int, int]]) -> None:
        asyncio.run_coroutine_threadsafe(agree(bucket, pauses), loop).result(30)

    await asyncio.to_thread(every)


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_a_bucket_is_forgotten_once_it_is_full_and_a_clock_set_back_stops_nobody(link: Link) -> None:
    async def asked(name: str, at: int) -> object:
        return await link.call("EVAL", f"local now = {at}{TAKE}", 1, f"{PREFIX}{name}", "1e6", 2, 1)

    assert [await asked("back", at) for at in (AT, AT, AT)] == [[1, 1, b"0"], [1, 0, b"1000000"], [0, 0, b"1000000"]]
    hour = 3_600_000_000
    assert await asked("back", AT - hour) == [0, 0, b"1000000"]
    assert await asked("back", AT - hour + 1_000_000) == [1, 0, b"1000000"], "it goes on from the new time"
    with pytest.raises(EngineError, match="NOPERM"):
        await link.call("PTTL", f"{PREFIX}back")


def test_keys_tell_callers_apart_and_hold_nothing_of_them() -> None:
    operation = ("operation", "shop.search")
    callers = [(("a", "b"), ("c", "d")), (("a", "bc"), ("", "d")), (("a", "b"),), (("a", "x" * 10_000),)]
    keys = [key("tiny", (operation, *caller)) for caller in callers]
    assert len({*keys, key("tiny", (operation,)), key("other", (operation,))}) == len(callers) + 2
    assert key("tiny", (operation,)) == "shoal.limits:tiny:shop.search:everyone"
    assert max(map(len, keys)) < 80


def entry(name: str, value: str) -> bytes:
    return part(1, part(1, name.encode()) + part(2, value.encode()))


def test_questions_are_read() -> None:
    one = part(2, entry("operation", "shop.search") + entry("address", "é") + part(2, b"\x08\x01"))
    data = part(1, b"tiny") + one + part(2, entry("operation", "x")) + b"\x18\xac\x02" + b"\x21" + bytes(8)
    assert messages.question(data) == Question(
        domain="tiny",
        descriptors=((("operation", "shop.search"), ("address", "é")), (("operation", "x"),)),
        hits=300,
    )
    assert messages.question(b"").hits == 1


@given(st.binary(max_size=64))
def test_what_is_no_question_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        messages.question(data)


def test_answers_are_written_as_the_protocol_has_it() -> None:
    status = Status(passed=True, size=300, left=2, reset=0)
    written = ("0801", "120f", "0801", "1205", "08ac02", "1001", "1802", "2202", "0800")
    assert messages.answer((status,)).hex() == "".join(written)
    over = messages.answer((status, Status(passed=False, size=1, left=0, reset=5)))
    assert over.startswith(b"\x08\x02"), "one empty bucket is enough"


def part(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | 2, len(value))) + value


async def echo(data: bytes) -> bytes:
    if data == b"fail":
        raise grpc.Failed("unavailable", "away: 50 % é")
    if data == b"break":
        raise KeyError(1)
    return data[::-1]


async def talk(place: Path, *calls: tuple[str, bytes]) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Make calls at once over one connection; give the body and the status of each."""
    http = H2Connection(H2Configuration(client_side=True, header_encoding=None))
    reader, writer = await asyncio.open_unix_connection(str(place))
    http.initiate_connection()
    bodies = {}
    for path, body in calls:
        stream = http.get_next_available_stream_id()
        bodies[stream] = (b"", dict[bytes, bytes]())
        head = [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", path), ("te", "trailers")]
        http.send_headers(stream, head)
        http.send_data(stream, body, end_stream=True)
    writer.write(http.data_to_send())
    open_ones = set(bodies)
    while open_ones:
        for event in http.receive_data(await reader.read(65536)):
            match event:
                case DataReceived(stream_id=int(stream), data=bytes(data)):
                    bodies[stream] = (bodies[stream][0] + data, bodies[stream][1])
                case (
                    ResponseReceived(stream_id=int(stream), headers=headers)
                    | TrailersReceived(stream_id=int(stream), headers=headers)
                ):
                    bodies[stream][1].update(dict(headers or []))
                case StreamEnded(stream_id=int(stream)) | StreamReset(stream_id=int(stream)):
                    open_ones.discard(stream)
        writer.write(http.data_to_send())
    writer.close()
    return list(bodies.values())


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4) + message


async def test_calls_are_answered_each_with_its_status(tmp_path: Path) -> None:
    serving = await grpc.serve(tmp_path / "s", {"/a.B/C": echo})
    answers = await asyncio.wait_for(
        talk(
            tmp_path / "s",
            ("/a.B/C", framed(b"abc")),
            ("/a.B/C", framed(b"fail")),
            ("/a.B/C", framed(b"break")),
            ("/a.B/D", framed(b"abc")),
            ("/a.B/C", b"\x01" + framed(b"abc")[1:]),
            ("/a.B/C", b""),
            *(("/a.B/C", framed(str(n).encode())) for n in range(10, 200)),
        ),
        20,
    )
    serving.close()
    body, status = answers[0]
    assert (body, status[b":status"], status[b"content-type"], status[b"grpc-status"]) == (
        *(framed(b"cba"), b"200", b"application/grpc", b"0"),
    )
    assert [told[b"grpc-status"] for _, told in answers[1:6]] == [b"14", b"13", b"12", b"3", b"3"]
    assert answers[1][1][b"grpc-message"] == b"away: 50 %25 %C3%A9"
    assert [found[0] for found in answers[6:]] == [framed(str(n).encode()[::-1]) for n in range(10, 200)]


async def test_a_store_that_hangs_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"AUTH")
        writer.write(b"+OK\r\n")
        await reader.readuntil(b"EVALSHA")
        asked.set()
        await reader.read(-1)
        writer.close()

    monkeypatch.setattr(server, "SLOW", 0.0)
    (tmp_path / "limits.json").write_text('{"a": {"requests": 1, "per": 2.0, "size": 3}}', "utf-8")
    files = {name: str(tmp_path / name) for name in ("listen", "limits.json", "valkey")}
    told = Settings(listen=files["listen"], limits=files["limits.json"], valkey=files["valkey"], user="u", password="p")
    limiter = server.Limiter(told)
    async with await asyncio.start_unix_server(hang, files["valkey"]):
        for _ in range(2):
            question = asyncio.ensure_future(limiter.should_rate_limit(part(2, entry("operation", "a"))))
            await asked.wait()
            await asyncio.sleep(0)  # the second one begins
            question.cancel()
            await asyncio.gather(question, return_exceptions=True)
        await limiter.close()
    assert capsys.readouterr().out.count("not counting: Valkey has not replied in time") == 1
    assert "password='p'" not in repr(told)


async def test_limits_are_read_again_when_their_file_has_changed(tmp_path: Path) -> None:
    limits, file = Limits(tmp_path / "limits.json"), tmp_path / "limits.json"
    assert limits.of("a") is None
    file.write_text('{"a": {"requests": 1, "per": 2.0, "size": 3}}', "utf-8")
    assert limits.of("a") == Bucket(requests=1, per=2.0, size=3)
    file.write_text("{broken", "utf-8")
    assert limits.of("a") == Bucket(requests=1, per=2.0, size=3), "what cannot be read changes nothing"
