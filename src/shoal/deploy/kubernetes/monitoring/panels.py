"""Panels of Grafana's dashboards, in a grid of 24 columns. Pure."""

from collections.abc import Sequence
from typing import Literal

from shoal.deploy.yaml import Json

SOURCE: Json = {"type": "prometheus", "uid": "${source}"}
"""The Prometheus that is chosen at the top of the page."""

Unit = Literal["reqps", "s", "percentunit", "short", "bytes"]
Kind = Literal["timeseries", "stat", "table"]

Query = tuple[str, str]
"""An expression, and what its line is called."""


def panel(
    title: str,
    queries: Sequence[Query],
    *,
    unit: Unit = "short",
    kind: Kind = "timeseries",
    note: str = "",
    warn: tuple[float, float] | None = None,
    size: tuple[int, int] = (8, 8),
    link: str = "",
) -> Json:
    """Describe a panel.

    Args:
        title: Its heading.
        queries: What it shows.
        unit: Of the values.
        kind: How it shows them.
        note: What it tells, for who points at its corner.
        warn: Values from which on it is yellow, and red.
        size: Columns and rows.
        link: Where a click leads.
    """
    defaults: Json = {"unit": unit, "min": 0, **(_warning(kind, *warn) if warn else {})}
    found: Json = {
        "type": kind,
        "title": title,
        "description": note,
        "datasource": SOURCE,
        "gridPos": {"x": 0, "y": 0, "w": size[0], "h": size[1]},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(kind),
        "targets": [_target(expression, legend, n, kind) for n, (expression, legend) in enumerate(queries)],
    }
    if link:
        found["links"] = [{"type": "link", "title": "Golden signals", "url": link}]
    return found


def _warning(kind: Kind, yellow: float, red: float) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}, {"color": "yellow", "value": yellow}]
    found: Json = {"thresholds": {"mode": "absolute", "steps": [*steps, {"color": "red", "value": red}]}}
    return {**found, "custom": {"thresholdsStyle": {"mode": "line"}}} if kind == "timeseries" else found


def text(title: str, content: str, *, size: tuple[int, int] = (24, 4)) -> Json:
    """Describe a panel of words."""
    return {
        "type": "text",
        "title": title,
        "gridPos": {"x": 0, "y": 0, "w": size[0], "h": size[1]},
        "options": {"mode": "markdown", "content": content},
    }


def row(title: str) -> Json:
    """Describe a heading over the panels that follow."""
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": _ROW}


_ROW: Json = {"x": 0, "y": 0, "w": 24, "h": 1}


def board(uid: str, title: str, panels: Sequence[Json], variables: Sequence[Json] = ()) -> Json:
    """Describe a dashboard: panels one after the other, in rows."""
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus", "hide": 0}
    return {
        "uid": uid,
        "title": title,
        "tags": ["shoal"],
        "schemaVersion": 41,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [source, *variables]},
        "panels": list(placed(panels)),
    }


def variable(name: str, label: str, query: str, *, every: bool = False) -> Json:
    """Describe a choice at the top of the page, of values that a query finds."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "includeAll": every,
        "multi": every,
        **({"allValue": ".+"} if every else {}),
    }


def placed(panels: Sequence[Json]) -> list[Json]:
    """Give panels their places: beside each other while there is room, then below."""
    x = y = tallest = 0
    found = []
    for number, one in enumerate(panels, start=1):
        width, height = one["gridPos"]["w"], one["gridPos"]["h"]
        if x + width > 24:
            x, y, tallest = 0, y + tallest, 0
        found.append({**one, "id": number, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, tallest = x + width, max(tallest, height)
    return found


def _options(kind: Kind) -> Json:
    if kind == "timeseries":
        legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    if kind == "stat":
        reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": reduced, "colorMode": "background", "graphMode": "area", "textMode": "value_and_name"}
    return {"showHeader": True}


def _target(expression: str, legend: str, number: int, kind: Kind) -> Json:
    found: Json = {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "expr": expression,
        "legendFormat": legend or "__auto",
        "range": kind != "table",
        "instant": kind == "table",
    }
    return {**found, "format": "table"} if kind == "table" else found
