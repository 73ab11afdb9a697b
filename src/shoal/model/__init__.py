"""What a system is: frozen data and pure functions."""

from shoal.model.objects import ObjectsUse
from shoal.model.plan import Plan, plan
from shoal.model.projection import Projection
from shoal.model.saga import Saga, Step
from shoal.model.search import SearchUse
from shoal.model.service import Access, Call, Endpoint, Event, Policy, Service, Subscription
from shoal.model.store import Store
from shoal.model.system import External, Gateway, Issuer, Sandbox, System
from shoal.model.target import Target
from shoal.model.warehouse import Warehouse

__all__ = [
    "Access",
    "Call",
    "Endpoint",
    "Event",
    "External",
    "Gateway",
    "Issuer",
    "ObjectsUse",
    "Plan",
    "Policy",
    "Projection",
    "Saga",
    "Sandbox",
    "SearchUse",
    "Service",
    "Step",
    "Store",
    "Subscription",
    "System",
    "Target",
    "Warehouse",
    "plan",
]
