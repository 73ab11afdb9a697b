"""Spans and log records of this process, exported in OpenTelemetry's wire format (OTLP 1.x).

The hot path appends to a queue; encoding and sending happen in a thread of their own (`exporter.py`). Nothing here
knows what a request or an event is: where spans begin and end is the runtime's matter.
"""
