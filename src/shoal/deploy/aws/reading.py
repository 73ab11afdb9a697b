"""What a person reads in the folder of an environment: what to fill in, and in which order things are done. Pure."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.reading_second import by_hand, lines
from shoal.deploy.aws.resources import Operator, Workload
from shoal.deploy.cloud.settings import STANDBY


def page(context: Context) -> str:
    """Write the page."""
    written = lines(context) if context.scope.passive else _lines(context)
    return "\n".join(written) + "\n"


def _lines(context: Context) -> Iterator[str]:
    environment, system = context.scope.environment, context.scope.system
    yield f"# {system} in {environment.name} ({environment.region})"
    yield ""
    yield "Written by `shoal deploy aws`. Nothing is applied by it."
    yield ""
    yield "An account or a region has one environment of a system: topics and queues are named after the system alone."
    yield ""
    yield "1. Make the bucket of the state, versioned and encrypted (`main.tf` names it), then `terraform init`."
    yield "2. `terraform apply`, and read the plan. Nothing comes up before its secrets and its image are there."
    yield "3. Fill in what only you know: `aws secretsmanager put-secret-value --secret-id NAME --secret-string file://FILE`."
    yield ""
    yield from by_hand(context)
    yield ""
    yield from _on_cluster(context) if environment.eks else _on_fargate(context)
    if environment.repository and not environment.existing_oidc:
        yield ""
        yield "An account has one provider of GitHub's tokens. Where it is there already, as in an account with another"
        yield "environment, write `existing_oidc = true` into this one's file."
    if environment.standby is not None:
        yield ""
        yield f"Then the second region, {environment.standby.region}, after this one: `{STANDBY}/README.md`."
    if environment.alarms:
        yield ""
        yield f"Whoever reads {environment.alarms} confirms the letter of SNS, or hears no alarm."


def _on_cluster(context: Context) -> Iterator[str]:
    """Say how the cluster comes to run the system."""
    if context.scope.environment.eksctl:
        yield "   Before it, the network: terraform apply with -target of its subnets and gateways; put its names"
        yield "   (`terraform output cluster`) into `eksctl.yaml`, and `eksctl create cluster -f eksctl.yaml`."
    yield "4. From inside the network, or by a tunnel into it: `terraform output cluster` says how to connect."
    yield "5. Install what `kubernetes/README.md` asks for: the mesh, External Secrets, Gateway API."
    yield "6. Push the images: `terraform output images` says where."
    yield "7. `kubectl apply -k kubernetes`: everything, with what Amazon needs on top (`amazon.yaml`)."


def _on_fargate(context: Context) -> Iterator[str]:
    yield "4. Push the images: `terraform output services` says where. A first deployment that found no image or no"
    yield "   secret has ended; begin it anew for each service:"
    yield ""
    yield "   ```"
    yield f"   aws ecs update-service --cluster {context.scope.named()} --service NAME --force-new-deployment"
    yield "   ```"
    yield ""
    stored = [one.name for one in context.all(Workload) if one.migrates]
    if stored:
        yield "5. Migrate: services do so when they start, one after the other under a lock."
    if context.all(Operator):
        yield "6. Declare the streams, after each change of events; `terraform output tasks` has the names:"
        yield ""
        yield "   ```"
        yield "   aws ecs run-task --cluster CLUSTER --task-definition OPERATORS --launch-type FARGATE \\"
        yield "     --network-configuration 'awsvpcConfiguration={subnets=[SUBNETS],securityGroups=[OPERATOR_GROUP]}'"
        yield "   ```"
