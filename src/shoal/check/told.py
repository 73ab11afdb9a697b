"""What others than rules have found, and `shoal check` shows by their own codes: what a plan says of a system."""

from collections.abc import Mapping

TOLD: Mapping[str, str] = {
    "PLAN-BROKER-01": "The broker exists in one process only, and the system has several. Choose one that all of them "
    "reach.",
    "PLAN-BROKER-02": "The broker cannot do all that the usual one can; the framework does the rest itself. "
    "docs/reference/brokers.md has the table.",
    "PLAN-CACHE-01": "The cache exists in one process only, and the system has several. Choose one that all of them "
    "reach.",
    "PLAN-EXTERNAL-01": "An outside system has nothing that stands for it on a laptop. "
    "Declare `External(..., sandbox=Sandbox(...))`, or set its address by hand.",
    "PLAN-MESH-01": "A mesh was asked for where all services are one process, which needs none.",
    "PLAN-OBJECTS-01": "The store of objects cannot be run here, and cannot be reached by several processes. "
    "Choose a folder, S3 or blobs.",
    "PLAN-OBJECTS-02": "The store of objects lacks something that others have; the framework does without, or does it "
    "itself.",
    "PLAN-SAGA-01": "An event says that a step failed, and no service that did an earlier step hears of it, so nothing "
    "is undone. Handle it there, or declare it without `failure=True`.",
    "PLAN-SEARCH-01": "The indexes exist in one process only, and the records are elsewhere.",
    "PLAN-SIZE-01": "Replicas are asked for of a service that does not exist.",
    "PLAN-SIZE-02": "Replicas are asked for where all services are one process.",
    "PLAN-STORE-01": "A service relies on something that its store cannot do. Choose another engine, or do without.",
    "PLAN-STORE-02": "The store keeps documents and runs no migrations, so the constraints in them do not hold.",
    "PLAN-STORE-03": "The store changes a limited number of things in one transaction. A larger one is refused as a "
    "whole.",
    "PLAN-TLS-01": "TLS is asked for where there is no proxy that could serve it.",
    "PLAN-WAREHOUSE-01": "The warehouse can be opened by one process only, and the service has several.",
}
"""Code → what it says and what to do."""
