"""What each broker can and cannot do, as a page of the documentation: written from the catalog. Pure."""

from shoal.model import catalog

INSTEAD = {
    "dead-letters": "the message would come again for ever",
    "delayed-retry": "the message waits in the hand of its reader, which holds back its own key only",
    "durable": "what it loses is published again out of the outboxes, for as long as they keep it (a week)",
    "known-ids": "it is delivered twice, and the inbox handles it once",
    "handover": "the next reader waits until the time of each such message is over: five seconds, ten on "
    "Pub/Sub, fifteen on Service Bus",
    "lags": "`shoal audit` cannot say that nothing is unanswered, and says so; all else tells when a system is at rest",
    "log": "what was acknowledged cannot be audited at the broker; only dead letters are kept, two weeks on SNS and a "
    "month on Pub/Sub; who is declared later hears what the outboxes keep (a week), because everything goes again",
    "members": "nothing is lost: one replica at a time reads a part, by a lease in the service's store",
    "permissions": "a service's own code still says and hears only what it declared; a program with its address is not "
    "stopped",
    "places": "the relay notices later that a stream has lost messages or was made anew, and publishes them again; "
    "those of one key may then be out of order",
    "processes": "the plan refuses it unless all services live in one process",
    "removal": "only dead letters can be taken away; on Kafka by an empty record behind them",
}
"""What happens where a broker cannot do something, by capability."""

_HEAD = """# What each broker can do

Written from `src/shoal/model/catalog.py`; a test compares the two. *Not here* means that the product can and the
server that stands for it on a laptop cannot. [How to choose one](../how-to/engines.md).

"""


def page() -> str:
    """Write the page."""
    rows = [row for row in catalog.ENGINES if row.kind == "broker"]
    lines = [
        _line("", *(f"`{row.name}`" for row in rows), "where it cannot"),
        _line("---", *("---" for _ in rows), "---"),
        _line("product", *(row.product for row in rows), ""),
        _line("comes with", *map(_source, rows), ""),
        _line("largest message", *(f"{row.wire_limit:,} bytes" if row.wire_limit else "–" for row in rows), ""),
    ]
    for name in sorted(set().union(*(row.capabilities for row in rows))):
        meaning = catalog.CAPABILITIES[name]
        lines.append(_line(f"**{name}**: {meaning}", *(_cell(row, name) for row in rows), INSTEAD[name]))
    return _HEAD + "\n".join(lines) + "\n"


def _source(row: catalog.Engine) -> str:
    if row.package:
        return f"`shoal[{row.extra}]` and {row.package}" if row.extra else row.package
    return f"`shoal[{row.extra}]`" if row.wheel or row.server or row.extra not in ("", "local") else "shoal itself"


def _cell(row: catalog.Engine, name: str) -> str:
    if name in row.lacking_here:
        return "yes, not here"
    return "yes" if name in row.capabilities else "no"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
