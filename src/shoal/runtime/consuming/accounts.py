"""What is said of each message: a metric and a line of the log."""

from shoal.runtime.consuming.desk import Desk
from shoal.runtime.consuming.item import Item
from shoal.runtime.consuming.processing import trace_of


def account(desk: Desk, item: Item, outcome: str, seconds: float) -> None:
    """Count what became of a message: ``ok``, ``duplicate``, ``retried`` or ``dead``."""
    subscriber, envelope = item.subscriber, item.envelope
    if subscriber is not None:
        subscriber.series.observe(outcome, seconds, trace_of(item))
        if envelope is not None and item.mark is not None:
            waited = (desk.clock.now() - item.mark.at).total_seconds()
            desk.metrics.series("delay", envelope.type).observe(outcome, max(0.0, waited), trace_of(item))
    if desk.journal is None or envelope is None:
        return
    fields = {
        "event": envelope.type,
        "event_id": envelope.id,
        "handler": subscriber.name if subscriber is not None else "",
        "outcome": outcome,
        "attempt": item.attempts.count + (outcome in ("ok", "duplicate")),
        "ms": round(seconds * 1000, 2),
    }
    desk.journal.write("info", f"{envelope.type} {outcome}", trace_of(item), fields)
