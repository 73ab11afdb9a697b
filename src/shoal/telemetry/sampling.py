"""Which traces are recorded (OpenTelemetry specification, "Tracing SDK", section Sampling)."""

from shoal.telemetry.settings import TelemetrySettings

_BITS = 1 << 64


class Sampler:
    """Decides once for each trace that arrives or begins here; every service decides a share of traces alike."""

    def __init__(self, settings: TelemetrySettings) -> None:
        self._by_parent = settings.sampler.startswith("parentbased_")
        kind = settings.sampler.removeprefix("parentbased_")
        share = {"always_on": 1.0, "always_off": 0.0}.get(kind, settings.ratio)
        self._bound = round(share * _BITS)
        self.willing = settings.sampler == "parentbased_always_on"
        """Whether it keeps what its parent keeps, and every trace that begins here: what nobody says otherwise does."""
        self.never = settings.sampler == "always_off"
        """Whether nothing is recorded, whatever becomes of it."""

    def samples(self, trace_id: str, parent: bool | None) -> bool:  # noqa: FBT001 - the parent's flag, None without one
        """Tell whether a trace is recorded."""
        if parent is not None and self._by_parent:
            return parent
        return int(trace_id[16:], 16) < self._bound
