"""How long somebody asks to be left alone."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds(retry_after: str, now: datetime | None = None) -> float:
    """Read ``Retry-After`` (RFC 9110, section 10.2.3): seconds, or a date; 0 when it says nothing that can be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - (now or datetime.now(UTC))).total_seconds())
