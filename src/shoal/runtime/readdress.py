"""Give rows that an earlier version left in the outbox the address that events have now."""

from msgspec.structs import replace

from shoal.drivers.base import Pending
from shoal.model import names
from shoal.runtime.envelope import unpack
from shoal.service.codec import Malformed


def readdress(row: Pending) -> Pending:
    """Return the row with key and part; those of present versions have both, or a part and no key, and stay.

    One that cannot be read stays as well: whoever gets it makes a dead letter of it, and holds nobody up.
    """
    message = row.message
    if message.key or message.subject.rpartition(".")[2].isdigit():
        return row
    try:
        envelope = unpack(message)
    except Malformed:
        return row
    key = envelope.subject if isinstance(envelope.subject, str) else ""
    subject = f"{message.subject}.{names.part_of(key or envelope.id)}"
    return replace(row, message=replace(message, key=key, subject=subject))
