"""PostgreSQL is killed. In a file of its own: recovery reads every database that the cluster has."""

import pytest

from tests.conformance.outbox import FailureContract

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


class TestFailures(FailureContract):
    pass
