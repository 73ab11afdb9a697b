"""Limits become buckets: whose they are, and what is said of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.mesh import limits
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import layout_for
from shoal.model.limits import RateLimit
from tests.mesh.samples import TINY, planned


@given(requests=st.integers(1, 1_000_000), per=st.floats(0.05, 86_400), burst=st.integers(0, 1_000_000))
def test_a_caller_who_waits_as_told_finds_a_token(requests: int, per: float, burst: int) -> None:
    limit = RateLimit(requests=requests, per=per, burst=burst)
    assert limits.wait(limit) * requests / per >= 1
    assert limits.wait(limit) >= 1


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (RateLimit(requests=100, per=60), '"default";q=100;w=60'),
        (RateLimit(requests=100, per=60, burst=10), '"default";q=10;w=6'),
        (RateLimit(requests=5, per=0.5), '"default";q=5;w=1'),
    ],
)
def test_the_policy_is_the_bucket_and_the_time_in_which_it_fills(limit: RateLimit, said: str) -> None:
    assert limits.policy(limit) == said


def test_nobody_pays_for_limits_that_nobody_declared() -> None:
    plan = planned(TINY)
    assert not [a.path for a in compile_mesh(plan, layout_for(plan, root="/r")) if "ratelimit" in a.text]
