"""Requests that two readers might take apart differently: data, one vector a line where that can be.

Sources: RFC 9112 (6.1 to 6.3, 7.1, 11.2), RFC 9113 (8.1 to 8.3, 10.3), and the published classes CL.TE, TE.CL, TE.TE,
CL.0, TE.0, LF in chunk extensions, and requests within HTTP/2 headers. ``@@@`` is the number of the vector.
"""

from dataclasses import dataclass

HIDDEN = b"GET /smuggled/@@@ HTTP/1.1\r\nHost: x\r\nX-Ignore: "
"""What must never become a request of its own."""

WHOLE = b"GET /smuggled/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One connection's worth of bytes."""

    name: str
    data: bytes


def _post(fields: bytes, body: bytes) -> bytes:
    return b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n\r\n" + body


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


_ENDED = b"0\r\n\r\n"
_CODING = b"Transfer-Encoding: chunked"

CODINGS = (
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: CHUNKED",
    b"Transfer-Encoding:chunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\t: chunked",
    b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: \x0cchunked",
    b"Transfer-Encoding: \xa0chunked",
    b"Transfer-Encoding: chunked\x0b",
    b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding: chunked\xff",
    b"Transfer-Encoding: chunked \t ",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunkedx",
    b"Transfer-Encoding: chunk",
    b"Transfer-Encoding: ch\xfcnked",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: 'chunked'",
    b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding:",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-encoding: cow",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding:\r\n\tchunked",
    b"Transfer-Encoding:\n chunked",
    b" Transfer-Encoding: chunked",
    b"X: y\r\n Transfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"X: y\r\n\rTransfer-Encoding: chunked",
    b"\x00Transfer-Encoding: chunked",
    b"Transfer-Encoding\x00: chunked",
    b"Transfer\x00-Encoding: chunked",
    b"Transfer_Encoding: chunked",
    b"Transfer Encoding: chunked",
    b"Content-Encoding: chunked",
    b"TE: chunked",
    b"Connection: transfer-encoding\r\nTransfer-Encoding: chunked",
    b"Connection: content-length\r\nTransfer-Encoding: chunked",
)
"""Ways to say, or not quite to say, that a body comes in chunks."""


def _both_ways(coding: bytes) -> tuple[Vector, Vector]:
    """Hide a request from a reader of lengths, and one from a reader of chunks."""
    behind, inside = _ENDED + HIDDEN, _chunk(WHOLE) + _ENDED
    first = inside.index(b"\r\n") + 2
    return (
        Vector(name=f"CL.TE {coding!r}", data=_post(b"Content-Length: %d\r\n" % len(behind) + coding, behind)),
        Vector(name=f"TE.CL {coding!r}", data=_post(b"Content-Length: %d\r\n" % first + coding, inside)),
    )


LENGTHS = (
    b"Content-Length: 5\r\nContent-Length: 0",
    b"Content-Length: 0\r\nContent-Length: 5",
    b"Content-Length: 5\r\nContent-Length: 5",
    b"Content-Length: 5, 0",
    b"Content-Length: 5, 5",
    b"Content-Length: +5",
    b"Content-Length: -5",
    b"Content-Length: 0x5",
    b"Content-Length: 05",
    b"Content-Length: 5.0",
    b"Content-Length: 5e0",
    b"Content-Length: 5;",
    b"Content-Length: 5_0",
    b"Content-Length: 5 5",
    b"Content-Length: 5\x00",
    b"Content-Length: 5\x0b",
    b"Content-Length: \xd9\xa5",
    b"Content-Length:",
    b"Content-Length: 18446744073709551621",
    b"Content-Length: 99999999999999999999999999999999",
    b"Content-Length : 5",
    b"Content-Length\t: 5",
    b"Content_Length: 5",
    b" Content-Length: 5",
    b"Content-Length:\r\n 5",
    b"Content-Length:\n5",
    b"X: y\nContent-Length: 5",
    b"X: y\rContent-Length: 5",
    b"\x00Content-Length: 5",
    b"Connection: content-length\r\nContent-Length: 5",
)
"""Ways to say, or not quite to say, that a body has five bytes."""

CHUNKS = (
    b"5\nabcde\r\n0\r\n\r\n",
    b"5\r\nabcde\n0\r\n\r\n",
    b"5\rabcde\r\n0\r\n\r\n",
    b"5\r\nabcde\r0\r\n\r\n",
    b"5\r\nabcdeXX0\r\n\r\n",
    b"5\r\nabcde\r\r0\r\n\r\n",
    b"5\r\nabcde0\r\n\r\n",
    b"5;x\nabcde\r\n0\r\n\r\n",
    b"5;\nabcde\r\n0\r\n\r\n",
    b"5;x=y\rabcde\r\n0\r\n\r\n",
    b'5;x="\r\n0\r\n\r\n"\r\nabcde\r\n0\r\n\r\n',
    b"2;\n2c\r\nxx\r\n0\r\n\r\n",
    b"5;x=\x00\r\nabcde\r\n0\r\n\r\n",
    b"5;" + b"x" * 20000 + b"\r\nabcde\r\n0\r\n\r\n",
    b"5 \r\nabcde\r\n0\r\n\r\n",
    b" 5\r\nabcde\r\n0\r\n\r\n",
    b"5\t;x\r\nabcde\r\n0\r\n\r\n",
    b"0x5\r\nabcde\r\n0\r\n\r\n",
    b"+5\r\nabcde\r\n0\r\n\r\n",
    b"-5\r\nabcde\r\n0\r\n\r\n",
    b"5_\r\nabcde\r\n0\r\n\r\n",
    b"5g\r\nabcde\r\n0\r\n\r\n",
    b"00000000000000000005\r\nabcde\r\n0\r\n\r\n",
    b"10000000000000005\r\nabcde\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\nabcde\r\n0\r\n\r\n",
    b"\r\n5\r\nabcde\r\n0\r\n\r\n",
    b"\n5\r\nabcde\r\n0\r\n\r\n",
    b"5\r\nabcde\r\n0\n\n",
    b"5\r\nabcde\r\n0\r\n\n",
    b"5\r\nabcde\r\n0\n\r\n",
    b"5\r\nabcde\r\n0;x\n\r\n",
    b"5\r\nabcde\r\n00\r\n\r\n",
    b"5\r\nabcde\r\n-0\r\n\r\n",
    b"5\r\nabcde\r\n0\r\nContent-Length: 99\r\n\r\n",
    b"5\r\nabcde\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"5\r\nabcde\r\n0\r\nHost: y\r\n\r\n",
    b"5\r\nabcde\r\n0\r\nX: y\r\n folded\r\n\r\n",
    b"5\r\nabcde\r\n0\r\nX: y\n\r\n",
    b"5\r\nabcde\r\n0\r\n\r",
)
"""Bodies in chunks, more or less; another request follows each."""

HEADS = (
    b"POST /v/@@@ HTTP/1.1\nHost: x\nContent-Length: 0\n\n",
    b"POST /v/@@@ HTTP/1.1\rHost: x\r\r",
    b"POST  /v/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST\t/v/@@@\tHTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1 \r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ /smuggled/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@\x00 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@\x0b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@\rHost: x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@%20HTTP/1.1%0d%0a%0d%0aGET%20/smuggled/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.2\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/2.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ http/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\x00\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@\r\n\r\n",
    b"GET /v/@@@\r\n",
    b"\r\n\r\nPOST /v/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"\nPOST /v/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"\x00POST /v/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x y\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x/@@@\r\nContent-Length: 0\r\n\r\n",
    b"POST http://y/smuggled/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\nno colon\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\n: no name\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\na b: c\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 45\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\n folded: first\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n \r\n\r\n",
    b"GET /v/@@@ HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: A\r\n\r\n",
    b"GET /v/@@@ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n\r\n",
    b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v/@@@ HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
)
"""Heads that are wrong, or nearly; another request follows each."""

BODIES = tuple(
    method + b" /v/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(WHOLE) + more + b"\r\n"
    for method in (b"GET", b"DELETE", b"POST", b"PUT", b"HEAD", b"OPTIONS")
    for more in (b"", b"Expect: 100-continue\r\n", b"Expect: 200-ok\r\n")
)
"""Requests whose body is a request (CL.0): as long as it says, it stays a body."""

PIPELINED = (
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v/@@@ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\n" + _CODING + b"\r\n\r\n" + _ENDED,
    b"POST /v/@@@ HTTP/1.1\r\nHost: x\r\n" + _CODING + b"\r\n\r\n" + _chunk(b"abc") + _ENDED,
)
"""Requests that another may follow."""


Fields = tuple[tuple[bytes, bytes], ...]
"""Names and values of one block of HTTP/2, pseudo-headers included."""

_LINE = ((b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"x"), (b":path", b"/v/@@@"))


def _with(*fields: tuple[bytes, bytes], **pseudo: bytes) -> Fields:
    """Write a request with further fields, some pseudo-headers changed."""
    changed = {b":" + name.encode(): value for name, value in pseudo.items()}
    return (*((name, changed.get(name, value)) for name, value in _LINE), *fields)


_AFTER = b"0\r\n\r\n" + WHOLE

H2: tuple[tuple[Fields, bytes], ...] = (
    (_with(), b""),
    (_with(), WHOLE),
    (_with((b"content-length", b"5")), b"abcde"),
    (_with((b"content-length", b"0")), WHOLE),
    (_with((b"content-length", b"4")), b"abcde"),
    (_with((b"content-length", b"99")), b"abcde"),
    (_with((b"content-length", b"5"), (b"content-length", b"0")), b"abcde"),
    (_with((b"content-length", b"+5")), b"abcde"),
    (_with((b"content-length", b"5, 5")), b"abcde"),
    (_with((b"content-length", b"0x5")), b"abcde"),
    (_with((b"transfer-encoding", b"chunked")), _AFTER),
    (_with((b"transfer-encoding", b"identity")), _AFTER),
    (_with((b"Transfer-Encoding", b"chunked")), _AFTER),
    (_with((b"transfer-encoding ", b"chunked")), _AFTER),
    (_with((b"transfer-encoding:", b"chunked")), _AFTER),
    (_with((b"transfer-encoding\r\nx", b"chunked")), _AFTER),
    (_with((b"connection", b"transfer-encoding"), (b"transfer-encoding", b"chunked")), _AFTER),
    (_with((b"connection", b"close")), b""),
    (_with((b"keep-alive", b"1")), b""),
    (_with((b"proxy-connection", b"x")), b""),
    (_with((b"upgrade", b"h2c")), b""),
    (_with((b"te", b"chunked")), b""),
    (_with((b"x", b"y\r\nTransfer-Encoding: chunked")), _AFTER),
    (_with((b"x", b"y\nTransfer-Encoding: chunked")), _AFTER),
    (_with((b"x", b"y\rTransfer-Encoding: chunked")), _AFTER),
    (_with((b"x", b"y\r\n\r\n" + WHOLE)), b""),
    (_with((b"x", b"y\x00z")), b""),
    (_with((b"x", b" y ")), b""),
    (_with((b"x\r\nhost", b"y")), b""),
    (_with((b"x: y\r\nhost", b"y")), b""),
    (_with((b"x y", b"z")), b""),
    (_with((b"X", b"y")), b""),
    (_with((b"", b"y")), b""),
    (_with((b"host", b"y")), b""),
    (_with((b":path", b"/smuggled/@@@")), b""),
    (_with((b"x", b"y"), (b":path", b"/smuggled/@@@")), b""),
    (_with((b":unknown", b"y")), b""),
    (_with((b"cookie", b"a=b\r\nX: y")), b""),
    (_with(path=b"/v/@@@ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: x"), _AFTER),
    (_with(path=b"/v/@@@ /smuggled/@@@"), b""),
    (_with(path=b"/v/@@@\t"), b""),
    (_with(path=b"http://y/smuggled/@@@"), b""),
    (_with(path=b""), b""),
    (_with(path=b"v/@@@"), b""),
    (_with(method=b"POST /smuggled/@@@ HTTP/1.1\r\nHost: x\r\n\r\nPOST"), b""),
    (_with(method=b"POST x"), b""),
    (_with(method=b""), b""),
    (_with(authority=b"x\r\nTransfer-Encoding: chunked"), _AFTER),
    (_with(authority=b"x y"), b""),
    (_with(authority=b"user@x"), b""),
    (_with(scheme=b"http://x/smuggled/@@@ HTTP/1.1\r\nX: "), b""),
    (_with(scheme=b"gopher"), b""),
    (_LINE[:3], b""),
    (_LINE[1:], b""),
)
"""Requests of HTTP/2: fields, and the body that follows."""


def _vectors() -> tuple[Vector, ...]:
    found = [vector for coding in CODINGS for vector in _both_ways(coding)]
    found += [Vector(name=f"CL {length!r}", data=_post(length, b"abcde" + WHOLE)) for length in LENGTHS]
    found += [Vector(name=f"chunks {c[:40]!r}", data=_post(_CODING, c + WHOLE)) for c in CHUNKS]
    found += [Vector(name=f"head {head[:60]!r}", data=head + WHOLE) for head in HEADS]
    found += [Vector(name=f"CL.0 {body[:90]!r}", data=body + WHOLE) for body in BODIES]
    found += [Vector(name=f"pipelined {head!r}", data=head + WHOLE) for head in PIPELINED]
    return tuple(found)


VECTORS = _vectors()
"""Every vector of HTTP/1.1."""


def numbered(data: bytes, number: int) -> bytes:
    """Write the vector's number, always as long, so that lengths stay right."""
    return data.replace(b"@@@", b"%03d" % number)
