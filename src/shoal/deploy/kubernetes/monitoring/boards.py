"""The dashboards: golden signals of a service, sagas and events, and the system as a whole."""

from shoal.deploy.kubernetes.monitoring import panels
from shoal.deploy.kubernetes.monitoring.promql import (
    ACTIVE,
    EVENTS,
    FAILED,
    OBJECTIVES,
    PROJECTIONS,
    REQUESTS,
    SAGAS,
    SCHEDULES,
    quantile,
    rate,
    select,
    share,
    summed,
)
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.yaml import Json

HEARD = "{{job}} {{messaging_destination_name}}"
OVER = "$__rate_interval"
HERE = 'namespace="$namespace"'
SERVICES = f"label_values({select('process_uptime_seconds', HERE)}, job)"
HEARD_BY = (HERE, 'job=~"$service"')
ONE = (HERE, 'job="$service"')


def golden(scope: Scope) -> Json:
    """Show one service: how late, how often, how wrong, how full; and what it promised."""
    by = ("shoal_operation",)
    failed, whole = (rate(f"{REQUESTS}_count", *ONE, *more, over=OVER) for more in ((FAILED,), ()))
    bad = rate(OBJECTIVES, *ONE, 'shoal_outcome="bad"', over="1h")
    kept = share(bad, rate(OBJECTIVES, *ONE, over="1h"), "shoal_operation", "shoal_objective")
    times = [(quantile(q, REQUESTS, *ONE, over=OVER, by=("job",)), f"{q:.0%}") for q in (0.5, 0.95, 0.99)]
    wrong, cpu = share(failed, whole, *by), rate("process_cpu_time_seconds_total", *ONE, over=OVER)
    used = summed(select("db_client_connection_count", *ONE, 'db_client_connection_state="used"'), "pod")
    waiting = summed(select("db_client_connection_pending_requests", *ONE), "pod")
    return panels.board(
        f"{scope.system}-golden",
        f"{scope.system}: golden signals",
        [
            panels.row("How late, how often, how wrong"),
            panels.panel("Latency", times, unit="s", note="Within how long a share of the answers was given."),
            panels.panel("Requests", [(summed(whole, *by), "{{shoal_operation}}")], unit="reqps"),
            panels.panel("Failed", [(wrong, "{{shoal_operation}}")], unit="percentunit", warn=(0.01, 0.05)),
            panels.row("What is promised"),
            panels.panel(
                "Bad within an hour", [(kept, "{{shoal_operation}} {{shoal_objective}}")], unit="percentunit",
                note="Of the requests that count for an objective, the share that broke it.", size=(12, 8),
            ),
            panels.panel(
                "Slowest operations", [(quantile(0.99, REQUESTS, *ONE, over=OVER, by=by), "{{shoal_operation}}")],
                unit="s", size=(12, 8),
            ),
            panels.row("How full"),
            panels.panel("In progress", [(summed(select(ACTIVE, *ONE), "pod"), "{{pod}}")]),
            panels.panel("Processor", [(summed(cpu, "pod"), "{{pod}}")],
                         note="Processors in use; beyond 1 a replica cannot go."),
            panels.panel("Memory", [(select("process_memory_usage_bytes", *ONE), "{{pod}}")], unit="bytes"),
            panels.panel("Connections to the store", [(used, "used {{pod}}"), (waiting, "waiting {{pod}}")]),
            panels.panel("Event loop is late", [(quantile(0.99, "shoal_loop_lag_seconds", *ONE, over=OVER, by=("pod",)),
                                                 "{{pod}}")], unit="s", warn=(0.1, 0.25)),
            panels.panel("Circuits", [(f"max by (shoal_circuit) ({select('shoal_circuit_state', *ONE)})",
                                       "{{shoal_circuit}}")], note="0 closed, 1 half-open, 2 open.", warn=(1, 2)),
        ],
        [_namespace(), panels.variable("service", "Service", SERVICES)],
    )  # fmt: skip


def events(scope: Scope) -> Json:
    """Show what is announced, heard, given up and undone, over all services."""
    name = "messaging_destination_name"
    age, pending = (
        f"max by (job) ({select(metric, *HEARD_BY)})" for metric in ("shoal_outbox_age_seconds", "shoal_outbox_pending")
    )
    within, late = (
        quantile(0.99, metric, *HEARD_BY, over=OVER, by=by)
        for metric, by in ((EVENTS, ("job", name)), ("shoal_event_delay_seconds", ("job",)))
    )
    return panels.board(
        f"{scope.system}-events",
        f"{scope.system}: sagas and events",
        [
            panels.row("Announced"),
            panels.panel("Events that wait for the broker", [(pending, "{{job}}")], size=(12, 8)),
            panels.panel("For how long", [(age, "{{job}}")], unit="s", warn=(30, 300), size=(12, 8)),
            panels.row("Heard"),
            panels.panel("Handled", [(_counted(EVENTS, "job", name), HEARD)], unit="reqps"),
            panels.panel("99 % within", [(within, HEARD), (late, "since announced: {{job}}")], unit="s"),
            panels.panel("Tried again", [(_counted(EVENTS, "job", name, outcome="retried"),
                                          HEARD)], unit="reqps"),
            panels.panel("Given up", [(_counted(EVENTS, "job", name, outcome="dead"), HEARD)],
                         unit="reqps", note="Each is a dead letter: shoal dlq list.", size=(24, 6)),
            *_followed(),
        ],
        [_namespace(), panels.variable("service", "Service", SERVICES, every=True)],
    )  # fmt: skip


def _counted(metric: str, *by: str, outcome: str = "") -> str:
    match = f'shoal_outcome="{outcome}"' if outcome else ""
    return summed(rate(f"{metric}_count", *HEARD_BY, match, over=OVER), *by)


def _followed() -> list[Json]:
    """Show what follows from events."""
    return [
        panels.row("Sagas, read models, schedules"),
        panels.panel("Steps", [(_counted(SAGAS, "shoal_saga_step", "shoal_outcome"),
                                "{{shoal_saga_step}} {{shoal_outcome}}")], unit="reqps"),
        panels.panel("Sagas in hand and parked", [
            (summed(select("shoal_sagas_in_hand", *HEARD_BY), "job"), "{{job}} in hand"),
            (summed(select("shoal_sagas_parked", *HEARD_BY), "job"), "{{job}} parked"),
        ]),
        panels.panel("Folded into read models", [(_counted(PROJECTIONS, "shoal_projection", "shoal_outcome"),
                                                  "{{shoal_projection}} {{shoal_outcome}}")], unit="reqps"),
        panels.panel("Runs of schedules", [(_counted(SCHEDULES, "shoal_schedule", "shoal_outcome"),
                                            "{{shoal_schedule}} {{shoal_outcome}}")], size=(24, 6)),
    ]  # fmt: skip


def whole(scope: Scope) -> Json:
    """Show the system: a light for each service, in rows from the door inwards, and who relies on whom."""
    found: list[Json] = []
    for depth, names in enumerate(layers(scope)):
        found.append(panels.row("At the door" if depth == 0 else f"{depth} call{'s' * (depth > 1)} behind it"))
        found += [_light(scope, name, width=max(4, 24 // len(names))) for name in names]
    found += [panels.row("Who relies on whom"), panels.text("Calls", _calls(scope), size=(12, 12))]
    found.append(panels.text("Events", _heard(scope), size=(12, 12)))
    return panels.board(f"{scope.system}-map", f"{scope.system}: map", found, [_namespace()])


def layers(scope: Scope) -> list[list[str]]:
    """Sort services by how many calls they are away from the door; those that nobody calls stand in the first row."""
    names = [service.name for service in scope.plan.services]
    depth = {name: 0 for name in names if name in scope.exposed or not scope.callers.get(name)}
    waiting = list(depth)
    while waiting:
        name = waiting.pop(0)
        for callee in sorted({call.service for call in scope.plan.service(name).calls}):
            if callee not in depth:
                depth[callee] = depth[name] + 1
                waiting.append(callee)
    rest = max(depth.values(), default=-1) + 1
    found: dict[int, list[str]] = {}
    for name in names:
        found.setdefault(depth.get(name, rest), []).append(name)
    return [found[level] for level in sorted(found)]


def _light(scope: Scope, name: str, width: int) -> Json:
    one = (HERE, f'job="{name}"')
    failed, every = (rate(f"{REQUESTS}_count", *one, *more, over="5m") for more in ((FAILED,), ()))
    wrong = f"({summed(failed, 'job')} or 0 * {summed(every, 'job')}) / {summed(every, 'job')}"
    return panels.panel(
        name, [(wrong, "failed")], unit="percentunit", kind="stat", warn=(0.01, 0.05), size=(width, 4),
        note=scope.plan.system.service(name).summary,
        link=f"/d/{scope.system}-golden?var-service={name}&${{namespace:queryparam}}",
    )  # fmt: skip


def _calls(scope: Scope) -> str:
    callees = {one.name: sorted({call.service for call in one.calls}) for one in scope.plan.services}
    lines = [f"- **{name}** asks {', '.join(names)}" for name, names in callees.items() if names]
    return "\n".join(lines) or "Nobody calls anybody."


def _heard(scope: Scope) -> str:
    services = scope.plan.system.services
    hearing = {
        event.id: [one.name for one in services if any(event.id in s.heard for s in one.subscriptions)]
        for service in services
        for event in service.publishes
    }
    lines = [f"- **{event}** is heard by {', '.join(names) or 'nobody'}" for event, names in hearing.items()]
    return "\n".join(lines) or "Nobody announces anything."


def _namespace() -> Json:
    return panels.variable("namespace", "Environment", f"label_values({select('process_uptime_seconds')}, namespace)")
