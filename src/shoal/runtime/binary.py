"""CloudEvents in binary mode: attributes in headers, data in the body (NATS protocol binding 1.0.2, section 3.1)."""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote_to_bytes

PREFIX = "ce-"
CONTENT_TYPE = "content-type"

_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
"""Characters that a header's value holds as they are."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def is_binary(headers: Mapping[str, str]) -> bool:
    """Tell the mode of a message.

    The binding says it by ``Content-Type``, which senders in structured mode often leave out; so binary mode is also
    asked for an attribute that is never missing there.
    """
    if not headers:
        return False
    lowered = {name.lower(): value for name, value in headers.items()}
    media_type = lowered.get(CONTENT_TYPE, "").strip().lower()
    return not media_type.startswith("application/cloudevents") and f"{PREFIX}specversion" in lowered


def to_headers(attributes: Mapping[str, str]) -> dict[str, str]:
    """Spell attributes as headers, percent-encoded as the binding asks."""
    return {PREFIX + name: quote(value, safe=_PLAIN) for name, value in attributes.items()}


def from_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Read attributes from headers, whose names are case-insensitive.

    The type of the data is ``ce-datacontenttype`` in NATS and ``Content-Type`` in HTTP; both are read.

    Raises:
        ValueError: An encoded value is not UTF-8, which the binding asks to refuse.
    """
    found = {}
    for name, value in headers.items():
        lowered = name.lower()
        if lowered.startswith(PREFIX):
            found[lowered.removeprefix(PREFIX)] = _decoded(value)
        elif lowered == CONTENT_TYPE:
            found.setdefault("datacontenttype", value.strip())
    return found


def is_json(media_type: str) -> bool:
    """Tell whether data of this media type is JSON (CloudEvents JSON format, section 3.1)."""
    subtype = media_type.partition(";")[0].strip().lower().partition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


def _decoded(value: str) -> str:
    """Take off double quotes (RFC 7230, 3.2.6), then one round of percent-encoding."""
    text = value.strip(" \t")
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = _ESCAPED.sub(r"\1", text[1:-1])
    return unquote_to_bytes(text).decode("utf-8")
