"""What each printer is given besides the resource: where it belongs, and everything else that there is."""

from shoal.deploy.cloud import resource
from shoal.deploy.gcp.scope import Scope

Context = resource.Context[Scope]
