"""Every capability of the gateway and the mesh, one line each; the order says whose additions come first."""

from shoal.mesh import bodies, cors, faults, hardening, limits, security, tokens, tracing, traffic, transformation
from shoal.mesh.feature import Feature

FEATURES: tuple[Feature, ...] = (
    tracing.FEATURE,
    hardening.FEATURE,
    security.FEATURE,
    cors.FEATURE,
    tokens.FEATURE,
    limits.FEATURE,
    transformation.FEATURE,
    bodies.FEATURE,
    traffic.FEATURE,
    faults.FEATURE,
)
