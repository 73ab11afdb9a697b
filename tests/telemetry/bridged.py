"""A service whose libraries speak OpenTelemetry's API; it runs in a process of its own."""

import msgspec
from opentelemetry import propagate, trace

from shoal import Service, Trace, anyone

tracer = trace.get_tracer("fishing-library", "1.2")


class Seen(msgspec.Struct, frozen=True):
    """What a library sees of the present trace."""

    current: str
    carried: str
    state: str
    afterwards: str


bay = Service("bay")


@bay.get("/catch", access=anyone)
async def catch(own: Trace) -> Seen:
    """Begin a span of the API within ours, ours within that, and say what is seen."""
    carrier: dict[str, str] = {}
    with tracer.start_as_current_span("cast", attributes={"net": "wide", "net.secret": "hidden!"}) as cast:
        cast.add_event("splash", {"depth": 3})
        with own.span("pull"):
            trace.get_current_span().set_attribute("weight", 12)
            with tracer.start_as_current_span("sort"):
                propagate.inject(carrier)
    return Seen(
        current=f"{cast.get_span_context().span_id:016x}",
        carried=carrier["traceparent"],
        state=carrier.get("tracestate", ""),
        afterwards=f"{trace.get_current_span().get_span_context().span_id:016x}",
    )


@bay.get("/storm", access=anyone)
async def storm() -> None:
    """Fail within a span of the API."""
    with tracer.start_as_current_span("sail"):
        raise ValueError("the mast broke")


@tracer.start_as_current_span("helper")
async def helper() -> str:
    """Be a function that a library has decorated."""
    return f"{trace.get_current_span().get_span_context().span_id:016x}"


@bay.get("/help", access=anyone)
async def ask_for_help() -> str:
    """Call it."""
    return await helper()
