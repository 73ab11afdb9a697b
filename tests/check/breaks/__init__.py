"""What people do to the shop, what is found of it, and what they do then, as the finding says."""

from tests.check.breaks.coupling import COUPLING
from tests.check.breaks.data import DATA
from tests.check.breaks.release import CONTRACTS, DEPLOYMENT, OBSERVABILITY
from tests.check.breaks.resilience import RESILIENCE
from tests.check.breaks.security import SECURITY

BREAKS = (*COUPLING, *DATA, *RESILIENCE, *SECURITY, *OBSERVABILITY, *CONTRACTS, *DEPLOYMENT)
"""One at least of each family of rules."""
