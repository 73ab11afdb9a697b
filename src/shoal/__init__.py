"""Shoal: many small services that move as one. This module is the whole vocabulary of an author."""

from shoal.errors import (
    CallFailed,
    CallRefused,
    CallRejected,
    CallTimedOut,
    CircuitOpen,
    Conflict,
    Contended,
    Disconnected,
    Duplicate,
    Problem,
    ShoalError,
    StepRefused,
    Unavailable,
)
from shoal.model.cors import Cors
from shoal.model.issuers import Cognito, Consumer, Entra, Firebase, Google, OpenId
from shoal.model.legacy import Legacy, LegacyRoute
from shoal.model.limits import RateLimit
from shoal.model.objectives import Objective
from shoal.model.only import Only
from shoal.model.rollout import Rollout
from shoal.model.security import SecurityHeaders
from shoal.model.shaping import Headers, Query, Transform
from shoal.model.system import External, Gateway, Sandbox
from shoal.model.tls import Tls
from shoal.model.traffic import HashBy, HealthCheck, Outliers, Shedding, Traffic
from shoal.model.versioning import Versions
from shoal.service.access import anyone, claim, consumer, internal, role, scope, signed_in
from shoal.service.aggregates import Recorded, aggregate, fact
from shoal.service.audit import Audit, Evidence, Verdict
from shoal.service.breaking import StandIn, fallbacks
from shoal.service.cache import CacheStore, Held, Locks, Sessions, ShortLived, Valkey
from shoal.service.context import Clock, Deadline, Principal, ReadReplica, TokenIssuer, Transaction
from shoal.service.declare import Service
from shoal.service.documents import Document, Documents, Found
from shoal.service.http import Header, Page, PageRequest, Reply
from shoal.service.keeping import Cache
from shoal.service.marks import contract, delete, event, get, patch, post, put, record
from shoal.service.objects import S3, BlobStorage, CloudStorage, Objects, StoredObject, UploadTicket, object_kind
from shoal.service.owning import Rule, owner, rule
from shoal.service.parts import Missing, Part, Partial, Parts
from shoal.service.personal import Personal, personal
from shoal.service.projections import Projection, ReadModel
from shoal.service.sagas import Saga, pivot, retriable, step
from shoal.service.schedules import Tick
from shoal.service.search import (
    Between,
    Counted,
    Facet,
    FullText,
    Hit,
    Hits,
    OpenSearch,
    PostgresSearch,
    SearchIndex,
    Unindexed,
    search_index,
)
from shoal.service.settings import Secret, Settings
from shoal.service.sockets import Socket, Transact
from shoal.service.stores import DynamoDB, Firestore, MongoDB, Postgres
from shoal.service.streams import Update, Watch
from shoal.service.system import Issuer, System
from shoal.service.tracing import Trace
from shoal.service.upcasting import upcast
from shoal.service.warehouse import (
    BigQuery,
    Count,
    Day,
    Distinct,
    DuckDB,
    Greatest,
    Least,
    Redshift,
    Reports,
    Sum,
    Warehouse,
    fact_table,
    report,
)

__version__ = "0.1.0"

__all__ = [
    "S3",
    "Audit",
    "Between",
    "BigQuery",
    "BlobStorage",
    "Cache",
    "CacheStore",
    "CallFailed",
    "CallRefused",
    "CallRejected",
    "CallTimedOut",
    "CircuitOpen",
    "Clock",
    "CloudStorage",
    "Cognito",
    "Conflict",
    "Consumer",
    "Contended",
    "Cors",
    "Count",
    "Counted",
    "Day",
    "Deadline",
    "Disconnected",
    "Distinct",
    "Document",
    "Documents",
    "DuckDB",
    "Duplicate",
    "DynamoDB",
    "Entra",
    "Evidence",
    "External",
    "Facet",
    "Firebase",
    "Firestore",
    "Found",
    "FullText",
    "Gateway",
    "Google",
    "Greatest",
    "HashBy",
    "Header",
    "Headers",
    "HealthCheck",
    "Held",
    "Hit",
    "Hits",
    "Issuer",
    "Least",
    "Legacy",
    "LegacyRoute",
    "Locks",
    "Missing",
    "MongoDB",
    "Objective",
    "Objects",
    "Only",
    "OpenId",
    "OpenSearch",
    "Outliers",
    "Page",
    "PageRequest",
    "Part",
    "Partial",
    "Parts",
    "Personal",
    "Postgres",
    "PostgresSearch",
    "Principal",
    "Problem",
    "Projection",
    "Query",
    "RateLimit",
    "ReadModel",
    "ReadReplica",
    "Recorded",
    "Redshift",
    "Reply",
    "Reports",
    "Rollout",
    "Rule",
    "Saga",
    "Sandbox",
    "SearchIndex",
    "Secret",
    "SecurityHeaders",
    "Service",
    "Sessions",
    "Settings",
    "Shedding",
    "ShoalError",
    "ShortLived",
    "Socket",
    "StandIn",
    "StepRefused",
    "StoredObject",
    "Sum",
    "System",
    "Tick",
    "Tls",
    "TokenIssuer",
    "Trace",
    "Traffic",
    "Transact",
    "Transaction",
    "Transform",
    "Unavailable",
    "Unindexed",
    "Update",
    "UploadTicket",
    "Valkey",
    "Verdict",
    "Versions",
    "Warehouse",
    "Watch",
    "aggregate",
    "anyone",
    "claim",
    "consumer",
    "contract",
    "delete",
    "event",
    "fact",
    "fact_table",
    "fallbacks",
    "get",
    "internal",
    "object_kind",
    "owner",
    "patch",
    "personal",
    "pivot",
    "post",
    "put",
    "record",
    "report",
    "retriable",
    "role",
    "rule",
    "scope",
    "search_index",
    "signed_in",
    "step",
    "upcast",
]
