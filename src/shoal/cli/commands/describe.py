"""``shoal describe``."""

import click

from shoal import model
from shoal.cli import output
from shoal.cli.output import examples
from shoal.cli.program import Global
from shoal.model.cache import CacheUse
from shoal.model.system import to_json

_EXAMPLES = examples(
    "shoal describe",
    "shoal describe orders",
    "shoal describe -o json > system.json",
    "shoal describe --openapi orders",
    "shoal describe --flow",
)


@click.command("describe", epilog=_EXAMPLES)
@click.argument("service", default="")
@output.output_option
@click.option("--openapi", default="", metavar="SERVICE", help="Print the OpenAPI 3.1 document of a service.")
@click.option("--asyncapi", default="", metavar="SERVICE", help="Print the AsyncAPI 3 document of a service.")
@click.option("--flow", is_flag=True, help="Show which events lead where, and who undoes what when a step fails.")
@click.pass_obj
def command(context: Global, service: str, output: str, openapi: str, asyncapi: str, flow: bool) -> None:
    """Show what the system is: its services, what they serve, say, hear, call and keep.

    With -o json the system comes as data that any of our tools read back without loss.
    """
    from shoal.operating import project

    if sum(map(bool, (openapi, asyncapi, flow))) > 1:
        raise click.UsageError("say one of --openapi, --asyncapi and --flow")
    system = project.read(context)
    if openapi:
        from shoal.model.openapi import openapi as document

        _json(document(system.service(openapi)))
    elif asyncapi:
        from shoal.model.asyncapi import asyncapi as document

        _json(document(system.service(asyncapi)))
    elif flow:
        _flow(system, output)
    elif output == "json":
        _whole(system, service)
    elif service:
        _one(system, system.service(service))
    else:
        _overview(system)


def _json(data: object) -> None:
    output.print_json(data)


def _flow(system: model.System, form: str) -> None:
    from shoal.cli import flow
    from shoal.model import choreography

    found = choreography.flow(system)
    if form == "json":
        _json(found)
    else:
        click.echo("\n".join(flow.lines(system, found)), color=True)


def _whole(system: model.System, service: str) -> None:
    if service:
        _json(system.service(service))
    else:
        click.echo(to_json(system).decode())


def _overview(system: model.System) -> None:
    rows = [
        (
            s.name,
            str(sum(e.exposed for e in s.endpoints)),
            str(sum(not e.exposed for e in s.endpoints)),
            ", ".join(e.id for e in s.publishes) or "-",
            ", ".join(sorted({h.event for h in s.subscriptions})) or "-",
            ", ".join(sorted({c.service for c in s.calls})) or "-",
            ", ".join(kept.engine for kept in (s.store, s.cache, s.warehouse, s.search, s.objects) if kept) or "-",
        )
        for s in system.services
    ]
    output.print_table(("SERVICE", "PUBLIC", "INTERNAL", "PUBLISHES", "HEARS", "CALLS", "KEEPS IN"), rows)
    for external in system.externals:
        stand_in = (
            external.sandbox.module if external.sandbox else "the mailbox" if external.protocol == "smtp" else "none"
        )
        output.say(f"external {external.name} ({external.protocol}), stand-in: {stand_in}")
    issuer = system.gateway.issuer
    output.say(f"{system.name} · port {system.gateway.port} · tokens by {issuer.service if issuer else 'nobody'}")


def _one(system: model.System, service: model.Service) -> None:
    click.echo(f"{service.name}  {service.summary}".rstrip() + f"  ({service.source})")
    rows = [(e.method, e.path, e.name, _access(e), e.source) for e in service.endpoints]
    if rows:
        click.echo()
        output.print_table(("METHOD", "PATH", "ENDPOINT", "ACCESS", "SOURCE"), rows)
    parts = [
        ("publishes", [f"{e.id}  key={e.key or '-'}  {e.source}" for e in service.publishes]),
        ("promises", _promises(service)),
        ("on record", [f"{e.method} {e.path}  {e.source}" for e in service.endpoints if e.audited]),
        ("hears", [f"{', '.join(h.heard)} -> {h.handler}  {h.source}" for h in service.subscriptions]),
        (
            "folds",
            [f"{p.name}: {', '.join(p.events)} -> {', '.join(p.tables)}  {p.source}" for p in service.projections],
        ),
        ("calls", [f"{c.service}.{c.endpoint}" for c in service.calls]),
        (
            "called by",
            [f"{o.name} ({c.endpoint})" for o in system.services for c in o.calls if c.service == service.name],
        ),
        ("sagas", [f"{s.name}: {' > '.join(map(_step, s.steps))}  {s.source}" for s in service.sagas]),
        ("by the clock", [f"{s.name}: {s.rule}  {s.source}" for s in service.schedules]),
        ("store", _kept(service.store)),
        ("cache", _kept(service.cache)),
        ("warehouse", _warehouse(service.warehouse)),
        ("search", _indexes(service.search)),
        ("objects", _objects(service.objects)),
        ("settings", [f"{s.variable}{'' if s.required else ' (optional)'}" for s in service.settings]),
        ("externals", list(service.externals)),
    ]
    for title, lines in parts:
        if lines:
            click.echo(f"\n{title}")
            click.echo("\n".join(f"  {line}" for line in lines))


def _promises(service: model.Service) -> list[str]:
    whole = [f"{objective.promise}  {service.source}" for objective in service.objectives]
    return whole + [f"{e.method} {e.path}  {o.promise}  {e.source}" for e in service.endpoints for o in e.objectives]


def _kept(kept: model.Store | CacheUse | model.Warehouse | model.ObjectsUse | None) -> list[str]:
    if kept is None:
        return []
    meant = kept.production if isinstance(kept, model.Store | model.ObjectsUse) else ""
    engine = f"{kept.engine}, in production {meant}" if meant else kept.engine
    return [f"{engine}: {kept.why}" if kept.why else engine]


def _indexes(search: model.SearchUse | None) -> list[str]:
    if search is None:
        return []
    indexes = [
        f"{i.name} over {i.record} ({', '.join(f.name for f in i.fields)}), {i.language}  {i.source}"
        for i in search.indexes
    ]
    return [search.engine, *indexes]


def _objects(objects: model.ObjectsUse | None) -> list[str]:
    if objects is None:
        return []
    kinds = [f"{k.name}, at most {k.largest:,} bytes: {', '.join(k.types) or 'any'}  {k.source}" for k in objects.kinds]
    return [*_kept(objects), *kinds]


def _warehouse(warehouse: model.Warehouse | None) -> list[str]:
    if warehouse is None:
        return []
    tables = [
        f"{t.name} ({', '.join(c.name for c in t.columns)}), by {t.time}"
        f"{f', kept {t.keep_days} days' if t.keep_days else ''}  {t.source}"
        for t in warehouse.tables
    ]
    reports = [
        f"{r.name}: {', '.join(r.measures)} of {r.table}{' by ' + ', '.join(r.groups) if r.groups else ''}  {r.source}"
        for r in warehouse.reports
    ]
    return [*_kept(warehouse), *tables, *reports]


def _step(step: model.Step) -> str:
    return f"{step.name} ({'undone by ' + step.compensation if step.compensation else step.kind})"


def _access(endpoint: model.Endpoint) -> str:
    access = endpoint.access
    claims = [f"{c.name}={'|'.join(str(value) for value in c.values)}" for c in access.claims]
    limits = [*access.roles, *access.scopes, *claims, *access.consumers]
    return f"{access.kind} ({', '.join(limits)})" if limits else access.kind
