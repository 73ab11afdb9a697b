"""The choreography for people: each event with its handlers and what follows, then each failure and who undoes what."""

import sys
from collections.abc import Iterator

from shoal import model
from shoal.cli.output import style
from shoal.model.choreography import Failure, Flow, Step, Undoing, in_order


def lines(system: model.System, flow: Flow) -> Iterator[str]:
    """Yield the text of `shoal describe --flow`."""
    sources = {event.id: event.source for service in system.services for event in service.publishes}
    failures = {failure.event for failure in flow.failures}
    for event in in_order(flow):
        mark = style("  failure", sys.stdout, fg="red") if event in failures else ""
        start = "  begins here" if event in flow.roots else ""
        place = style(sources.get(event, ""), sys.stdout, fg="bright_black")
        yield f"{style(event, sys.stdout, bold=True)}{mark}{start}  {place}".rstrip()
        yield from (f"  {_step(step)}" for step in flow.steps if step.hears == event)
    if flow.failures:
        yield f"\n{style('Failures', sys.stdout, bold=True)}"
    for failure in flow.failures:
        yield f"{failure.event}: {_verdict(failure)}"
        yield from (f"  {_undoing(undoing)}" for undoing in failure.undone)


def _step(step: Step) -> str:
    following = ", ".join(step.leads_to)
    if not following:
        return f"{step.name}, and there it ends"
    return f"{step.name} → {following}" if step.known else f"{step.name} → perhaps {following}"


def _verdict(failure: Failure) -> str:
    if failure.compensated:
        return style("undone", sys.stdout, fg="green") if failure.undone else f"handled by {', '.join(failure.heard)}"
    return style("nobody undoes what was done before", sys.stdout, fg="red")


def _undoing(undoing: Undoing) -> str:
    if not undoing.by:
        return f"{undoing.service} acted before it and never hears of it"
    way = f" through {' and '.join(undoing.through)}" if undoing.through else ""
    return f"{undoing.service} hears of it{way} in {', '.join(undoing.by)}"
