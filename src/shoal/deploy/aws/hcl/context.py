"""What each printer is given besides the resource: where it belongs, and everything else that there is."""

from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud import resource

Context = resource.Context[Scope]
