"""A trace as lines of text: who did what, when and for how long, and which of it the whole waited for."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shoal.cli.output import style
from shoal.cli.recorded import took

if TYPE_CHECKING:
    from shoal.dashboard.store.reading import Span, Trace

MOST = 500
"""Spans that are shown."""

_NARROWEST, _WIDEST = 12, 60
_FIXED = 28  # columns of marks, numbers and gaps
_DEEPEST = 24


def waterfall(trace: "Trace", width: int) -> list[str]:
    """Draw a trace in `width` columns."""
    critical = critical_path(trace.spans)
    shown = list(_in_order(trace.spans))[:MOST]
    names = [f"{'  ' * min(depth, _DEEPEST)}{span.name}" for span, depth in shown]
    services = max((len(span.service) for span, _ in shown), default=0)
    rest = max(_NARROWEST * 3, width - services - _FIXED)
    longest = min(max(map(len, names), default=0), rest * 2 // 3)
    bar = min(_WIDEST, rest - longest)
    lines = []
    for (span, _), name in zip(shown, names, strict=True):
        cut = name if len(name) <= longest else f"{name[: longest - 1]}…"
        mark = "✗" if span.status == "error" else "●" if span.span_id in critical else " "
        text = f"{mark} {span.service:<{services}}  {cut:<{longest}}  {took(span.started - trace.started):>9}"
        lines.append(
            _coloured(f"{text}  {took(span.ms):>9}  {_bar(trace, span, bar, critical)}".rstrip(), span, critical)
        )
    if len(trace.spans) > MOST or trace.total > len(trace.spans):
        lines.append(f"  … {trace.total} spans in all; shoal traces {trace.trace_id} -o json has more of them")
    return lines


def critical_path(spans: Sequence["Span"]) -> set[str]:
    """Find the spans for which the first root waited: going back from its end, whichever child ended last.

    What begins after its parent has ended was waited for by nobody.
    """
    if not spans:
        return set()
    children = _children(spans)
    first = next(iter(_roots(spans)), spans[0])
    found: set[str] = set()
    waiting = [(first, _end(first))]
    while waiting:
        span, until = waiting.pop()
        if span.span_id in found:
            continue
        found.add(span.span_id)
        for child in sorted(children.get(span.span_id, ()), key=_end, reverse=True):
            if child.started < until and child.started <= _end(span) and min(_end(child), _end(span)) <= until:
                waiting.append((child, min(_end(child), until)))
                until = child.started
    return found


def _in_order(spans: Sequence["Span"]) -> Iterator[tuple["Span", int]]:
    """Yield every span after its parent, children in the order in which they began, with its depth."""
    children = _children(spans)
    seen: set[str] = set()
    waiting = [(span, 0) for span in reversed(_roots(spans))]
    while waiting or len(seen) < len({span.span_id for span in spans}):
        if not waiting:  # parents that go round
            waiting.append((next(span for span in spans if span.span_id not in seen), 0))
        span, depth = waiting.pop()
        if span.span_id not in seen:
            seen.add(span.span_id)
            yield span, depth
            waiting += [(child, depth + 1) for child in reversed(children.get(span.span_id, ()))]


def _roots(spans: Sequence["Span"]) -> list["Span"]:
    known = {span.span_id for span in spans}
    return [span for span in spans if span.parent_id not in known]


def _children(spans: Sequence["Span"]) -> dict[str, list["Span"]]:
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(span.parent_id, []).append(span)
    return found


def _end(span: "Span") -> float:
    return span.started + span.ms


def _bar(trace: "Trace", span: "Span", width: int, critical: set[str]) -> str:
    whole = trace.ms or 1.0
    begin = min(width - 1, int((span.started - trace.started) / whole * width))
    length = max(1, min(width - begin, round(span.ms / whole * width)))
    return " " * begin + ("█" if span.span_id in critical else "▒") * length


def _coloured(line: str, span: "Span", critical: set[str]) -> str:
    if span.status == "error":
        return style(line, sys.stdout, fg="red")
    return line if span.span_id in critical else style(line, sys.stdout, fg="bright_black")
