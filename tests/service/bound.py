"""Describe a service that a test declares: it is bound to a name in its module for as long as the description takes."""

import sys

from shoal import Service, System, model
from shoal.service.describe import describe, describe_service


def described(service: Service) -> model.Service:
    """Describe one service."""
    _bind(service)
    return describe_service(service)


def described_system(system: System) -> model.System:
    """Describe a system."""
    for service in system.services:
        _bind(service)
    return describe(system)


def _bind(service: Service) -> None:
    setattr(sys.modules[service.module], f"bound_{service.name.replace('-', '_')}", service)
