"""Every capability of the gateway and the mesh, one line each; the order says whose additions come first."""

from shoal.mesh import (
    admission,
    api_versions,
    bodies,
    cors,
    counting,
    faults,
    limits,
    narrowing,
    security,
    sharing,
    shedding,
    sockets,
    tokens,
    tracing,
    traffic,
    transformation,
    versions,
)
from shoal.mesh.feature import Feature

FEATURES: tuple[Feature, ...] = (
    tracing.FEATURE,
    security.FEATURE,
    cors.FEATURE,
    api_versions.FEATURE,
    narrowing.FEATURE,
    tokens.FEATURE,
    admission.FEATURE,
    limits.FEATURE,
    counting.FEATURE,
    sharing.FEATURE,
    transformation.FEATURE,
    bodies.FEATURE,
    traffic.FEATURE,
    shedding.FEATURE,
    sockets.FEATURE,
    faults.FEATURE,
    versions.FEATURE,
)
