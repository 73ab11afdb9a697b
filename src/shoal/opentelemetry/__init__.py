"""Spans of OpenTelemetry's API join ours: what a library or an author makes with it is a child of the present work.

The API finds `bridge.TracerProvider` and `context.RuntimeContext` by their entry points, when
``OTEL_PYTHON_TRACER_PROVIDER`` and ``OTEL_PYTHON_CONTEXT`` name ``shoal``; a service's process says so where it records
and the API is installed.
"""
