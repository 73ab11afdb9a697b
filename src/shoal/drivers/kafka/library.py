"""What is used of aiokafka: connections, requests, and batches of records. The only file that imports it.

Its producer and its consumer are not used: they retry, buffer and join groups by themselves, where our relay and our
leases decide (docs/decisions/0028). Metadata is asked for in a version of our own, because only from version 10 on does
a topic have an identity (KIP-516).
"""

import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import aiokafka.errors as kafka_errors
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import CreateTopicsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from shoal.drivers.kafka.address import Address

Connection: TypeAlias = Any
"""aiokafka says nothing of its types."""

FAILURES: tuple[type[Exception], ...] = (
    kafka_errors.KafkaError,
    OSError,
    TimeoutError,
    ValueError,
    NotImplementedError,
)
"""What a connection raises when it fails, or cannot say what it is asked to."""

REFUSED = (
    kafka_errors.AuthenticationFailedError,
    kafka_errors.SaslAuthenticationFailed,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.IllegalSaslStateError,
)  # fmt: skip
"""What it raises when the server does not believe who we are."""

LATEST, EARLIEST = -1, -2
"""Which end of a partition is asked for."""

_PARTITION = 0
_STALE_SECONDS = 5

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what fails is said by us, once


class Record(NamedTuple):
    """One record of a partition."""

    offset: int
    timestamp: int
    """Milliseconds since 1970."""
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Fetched(NamedTuple):
    """What a fetch brought of one topic."""

    error: int
    end: int
    """Offset behind the last record that the partition holds."""
    records: Sequence[Record]
    behind: int
    """Offset behind the last batch, whether anything is left in it or not; 0 without a batch."""


class Topic(NamedTuple):
    """One topic, as the cluster describes it."""

    error: int
    name: str
    id: str
    leader: int


async def connect(
    host: str,
    port: int,
    address: Address,
    tls: ssl.SSLContext | None,
    within: float,
    closed: Callable[[Connection], None],
) -> Connection:
    """Connect and authenticate.

    Args:
        host: Of the node.
        port: Of the node.
        address: Who we are, and how it is said.
        tls: What verifies the node.
        within: Seconds that an answer may take.
        closed: Called when the connection ends.
    """
    options: dict[str, Any] = {}
    if address.user:
        options = {
            "sasl_mechanism": address.mechanism,
            "sasl_plain_username": address.user,
            "sasl_plain_password": address.password,
        }
    try:
        connection = await create_conn(
            host, port, client_id="shoal", request_timeout_ms=round(within * 1000),
            security_protocol=address.protocol, ssl_context=tls,
            on_close=lambda connection, _reason: closed(connection), **options,
        )  # fmt: skip
    except KeyError as error:  # aiokafka looks for a signature in what is a refusal (RFC 5802, section 7: e=...)
        raise kafka_errors.SaslAuthenticationFailed("the proof was refused") from error
    _watch_socket(connection)
    return connection


def _watch_socket(connection: Connection) -> None:
    """Let the kernel end a connection over which nothing arrives any more."""
    found = connection._writer.get_extra_info("socket")  # noqa: SLF001 - aiokafka offers no way to its socket
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _STALE_SECONDS), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", _STALE_SECONDS * 1000),
    ):  # fmt: skip
        if hasattr(socket, name):  # not all are known to macOS
            with contextlib.suppress(OSError):
                found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def error_name(code: int) -> str:
    """Name an error of the protocol."""
    return str(kafka_errors.for_code(code).__name__).removesuffix("Error")


def create_topic(name: str, copies: int, settings: Mapping[str, str]) -> Request[Any]:
    """Ask for a topic with one partition."""
    return CreateTopicsRequest([(name, 1, copies, [], list(settings.items()))], 5000, False)  # noqa: FBT003


def produce(topic: str, batch: bytes, within: float) -> Request[Any]:
    """Ask to store a batch on every copy that is in step (``acks=all``)."""
    return ProduceRequest(None, -1, round(within * 1000), [(topic, [(_PARTITION, batch)])])


def produced(answer: Any) -> tuple[int, int]:
    """Read the error and the first offset."""
    found = answer.topics[0][1][0]
    return found[1], found[2]


def fetch(topics: Mapping[str, int], wait: float, most: int) -> Request[Any]:
    """Ask for what follows offsets, waiting for the first byte.

    Args:
        topics: Offset by topic.
        wait: Seconds.
        most: Bytes; a first batch that is larger comes whole.
    """
    wanted = [(topic, [(_PARTITION, offset, most)]) for topic, offset in topics.items()]
    return FetchRequest(max(1, round(wait * 1000)), 1, most, 0, wanted)


def fetched(answer: Any) -> Iterator[tuple[str, Fetched]]:
    """Read what came of each topic."""
    for topic, partitions in answer.topics:
        found = partitions[0]
        records, behind = unpack(bytes(found[-1] or b""))
        yield topic, Fetched(error=found[1], end=found[2], records=records, behind=behind)


def list_offset(topic: str, end: int) -> Request[Any]:
    """Ask for the offset of one end of a topic."""
    return OffsetRequest(-1, 0, [(topic, [(_PARTITION, end)])])


def offset_of(answer: Any) -> tuple[int, int]:
    """Read the error and the offset."""
    found = answer.topics[0][1][0]
    return found[1], found[-1]


def find_coordinator(group: str) -> Request[Any]:
    """Ask who keeps the offsets of a group."""
    return FindCoordinatorRequest(group, 0)


def commit(group: str, topic: str, offset: int, note: str) -> Request[Any]:
    """Ask to keep an offset for a group that has no members (generation -1)."""
    return OffsetCommitRequest(group, -1, "", -1, [(topic, [(_PARTITION, offset, note)])])


def committed(answer: Any) -> int:
    """Read the error."""
    return int(answer.topics[0][1][0][1])


def kept_offset(group: str, topic: str) -> Request[Any]:
    """Ask for the offset that was committed last."""
    return OffsetFetchRequest(group, [(topic, [_PARTITION])])


def kept(answer: Any) -> tuple[int, int, str]:
    """Read the error, the offset (-1 when there is none) and the note beside it."""
    _, offset, note, error = answer.topics[0][1][0]
    return error or getattr(answer, "error_code", 0), offset, note or ""


def pack(records: Sequence[tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]]) -> bytes:
    """Write a batch (message format 2) of keys, values and headers."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1 << 30,
    )  # fmt: skip
    for number, (key, value, headers) in enumerate(records):
        builder.append(number, None, key=key, value=value, headers=list(headers))
    return bytes(builder.build())


def unpack(data: bytes) -> tuple[Sequence[Record], int]:
    """Read the records of batches, and the offset behind the last; a batch that is cut off at the end is left out.

    Compaction leaves batches without records, and marks of transactions are none.
    """
    batches, records, behind = MemoryRecords(data), list[Record](), 0
    while batches.has_next() and (batch := batches.next_batch()) is not None:
        behind = batch.next_offset
        if not batch.is_control_batch:
            records += [Record(r.offset, r.timestamp, r.key, r.value, r.headers) for r in batch]
    return records, behind


class _Uuid:
    """Sixteen bytes."""

    @staticmethod
    def encode(value: bytes) -> bytes:
        return value

    @staticmethod
    def decode(data: BytesIO) -> bytes:
        return data.read(16)

    @staticmethod
    def repr(value: bytes) -> str:
        return value.hex()


class _MetadataAnswer(Response):  # type: ignore[misc]  # aiokafka says nothing of its types
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle", Int32),
        ("brokers", CompactArray(
            ("node", Int32), ("host", CompactString("utf-8")), ("port", Int32), ("rack", CompactString("utf-8")),
            ("tags", TaggedFields),
        )),
        ("cluster", CompactString("utf-8")),
        ("controller", Int32),
        ("topics", CompactArray(
            ("error", Int16), ("name", CompactString("utf-8")), ("id", _Uuid), ("internal", Boolean),
            ("partitions", CompactArray(
                ("error", Int16), ("partition", Int32), ("leader", Int32), ("epoch", Int32),
                ("replicas", CompactArray(Int32)), ("insync", CompactArray(Int32)), ("offline", CompactArray(Int32)),
                ("tags", TaggedFields),
            )),
            ("operations", Int32), ("tags", TaggedFields),
        )),
        ("tags", TaggedFields),
    )  # fmt: skip


class _MetadataAsked(RequestStruct):  # type: ignore[misc]  # as above
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataAnswer
    SCHEMA = Schema(
        ("topics", CompactArray(("id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("create", Boolean),
        ("operations", Boolean),
        ("tags", TaggedFields),
    )


class _Metadata(Request[_MetadataAsked]):  # type: ignore[misc]  # as above
    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataAsked]) -> _MetadataAsked:
        return request_struct_class([(bytes(16), name, {}) for name in self._topics], False, False, {})  # noqa: FBT003


def metadata(topics: Sequence[str]) -> Request[Any]:
    """Ask for the nodes and for some topics, without making those that are not there."""
    return _Metadata(topics)


def nodes(answer: Any) -> dict[int, tuple[str, int]]:
    """Read host and port of every node."""
    return {node: (host, port) for node, host, port, *_ in answer.brokers}


def topics(answer: Any) -> Iterator[Topic]:
    """Read what is known of the topics that were asked for."""
    for error, name, identity, _internal, partitions, *_ in answer.topics:
        leader = partitions[0][2] if partitions else -1
        yield Topic(error=error, name=name, id=str(UUID(bytes=identity)), leader=leader)
