"""A report as JSON, with everything that is known of it."""

import msgspec

from shoal.check.formats.page import Shown


def spell(shown: Shown) -> str:
    """Spell a report as one object; its fields are those of `shoal.check.report.Report`."""
    return msgspec.json.format(msgspec.json.encode(shown.report), indent=2).decode()
