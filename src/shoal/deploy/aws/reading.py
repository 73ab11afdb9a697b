"""What a person reads in the folder of an environment: what to fill in, and in which order things are done. Pure."""

from collections.abc import Iterator, Sequence

from shoal.deploy.aws import addresses
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.frame import PROGRAM
from shoal.deploy.aws.resources import Address, Operator, Search, Secret, Workload
from shoal.deploy.aws.secrets import called
from shoal.deploy.cloud.by_hand import made
from shoal.deploy.cloud.settings import STANDBY
from shoal.deploy.cloud.steps import numbered, table, typed

GLOBAL = "us-east-1"
"""Where IAM and Route 53 are changed, whichever regions they serve ("Global services", AWS fault isolation); and where
buckets are of which S3 is not told where."""


_SANDBOX = "An account that is new to SES writes to verified addresses alone, until Amazon is asked to let it out."


def page(context: Context) -> str:
    """Write the page."""
    return "\n".join(_lines(context)) + "\n"


def state(context: Context) -> tuple[str, ...]:
    """Say how the bucket of the state is made, which no Terraform makes."""
    bucket, region = context.scope.state, context.scope.environment.region
    elsewhere = f" \\\n  --create-bucket-configuration LocationConstraint={region}" if region != GLOBAL else ""
    begun = f"aws s3api create-bucket --bucket {bucket} --region {region}{elsewhere}"
    blocked = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
    return (
        "Make the bucket of the state. Where somebody else in the world has its name, write another (`state = ...`)",
        "into the environment's file, and deploy again.",
        *typed(
            *begun.splitlines(),
            f"aws s3api put-public-access-block --bucket {bucket} \\",
            f"  --public-access-block-configuration {blocked}",
            f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
            "terraform init",
        ),
    )


def by_hand(context: Context) -> tuple[str, ...]:
    """List the secrets that somebody fills in here; nothing where there are none."""
    asked = [one for one in context.all(Secret) if one.text is None and one.place == "here"]
    return table(("Secret", "What it is"), [(f"`{called(context.scope, one.name)}`", one.purpose) for one in asked])


def declared(context: Context) -> Sequence[str]:
    """Say how streams come to be declared."""
    operators = context.all(Operator)
    if not operators:
        return ()
    place = "{awsvpcConfiguration: {subnets, securityGroups: [.operator_group]}}"
    asked = (
        f"aws ecs run-task --region {context.scope.environment.region} --cluster {context.scope.named()} \\",
        '  --launch-type FARGATE --network-configuration "$PLACE" \\',
    )
    each = (line for one in operators for line in (*asked, f"  --task-definition {context.named(one.name)}"))
    return (
        "Declare the streams, now and after each change of events:",
        *typed(f"PLACE=$(terraform output -json tasks | jq -c '{place}')", *each),
    )


def _lines(context: Context) -> Iterator[str]:
    environment, system = context.scope.environment, context.scope.system
    yield f"# {system} in {environment.name} ({environment.region})"
    yield ""
    yield "Written by `shoal deploy aws`. Nothing is applied by it."
    yield ""
    yield "An account or a region has one environment of a system: topics and queues are named after the system alone."
    yield f"It takes Terraform ({PROGRAM}), Amazon's command line, signed in to that account, Docker and jq."
    yield ""
    yield from numbered(_steps(context))
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


def _steps(context: Context) -> Iterator[Sequence[str]]:
    yield state(context)
    if context.all(Search):
        yield (
            "Once in an account that has had no domain of OpenSearch: the role by which one comes into a network.",
            *typed("aws iam create-service-linked-role --aws-service-name opensearchservice.amazonaws.com"),
        )
    yield _mail(context)
    yield ("`terraform apply`, and read the plan. Nothing comes up before its secrets and its image are there.",)
    yield _recorded(context)
    yield _filled(context)
    yield from _on_cluster(context) if context.scope.environment.eks else _on_fargate(context)


def _mail(context: Context) -> Sequence[str]:
    """Say how a domain comes to be believed, which Terraform then asks for."""
    if not any(not one.domain for one in context.all(Address)):
        return ()
    region = context.scope.environment.region
    return (
        "Verify the domain in whose name mail goes out, by the records that this names. Terraform asks for it.",
        *typed(
            f"aws sesv2 create-email-identity --email-identity DOMAIN --region {region}",
            "export TF_VAR_mail_domain=DOMAIN",
        ),
        _SANDBOX,
    )


def _recorded(context: Context) -> Sequence[str]:
    """Say what waits once Terraform has made the identity of a domain."""
    made_here = [one for one in context.all(Address) if one.domain]
    records = [
        f"Put the records of `terraform output mail_records` into the DNS of {one.domain}."
        for one in made_here
        if not one.zone
    ]
    return (*records, _SANDBOX) if made_here else ()


def _filled(context: Context) -> Sequence[str]:
    """Say what is filled in by hand, and where it comes from."""
    secrets = by_hand(context)
    if not secrets:
        return ()
    region = context.scope.environment.region
    where = f"https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem"
    authorities = any(addresses.AUTHORITIES in one.purpose for one in context.all(Secret))
    return (
        "Fill in what only you know:",
        *typed(
            *([f"curl --fail --output {addresses.AUTHORITIES} {where}"] * authorities),
            f"aws secretsmanager put-secret-value --region {region} --secret-id NAME --secret-string file://FILE",
        ),
        *secrets,
        *made(context.scope),
    )


def _on_cluster(context: Context) -> Iterator[Sequence[str]]:
    """Say how the cluster comes to run the system."""
    if context.scope.environment.eksctl:
        yield (
            "The cluster itself: put the names of network and key (`terraform output cluster`) into `eksctl.yaml`, and",
            "`eksctl create cluster -f eksctl.yaml`. These come before it: where Terraform misses the cluster, apply",
            "with -target of the subnets, the gateways and `aws_kms_key.data` first.",
        )
    yield ("From inside the network, or by a tunnel into it: `terraform output cluster` says how to connect.",)
    yield ("Install what `kubernetes/README.md` asks for: the mesh, External Secrets, Gateway API.",)
    yield _pushed(context, "kubernetes/images", "images", ".[$name]")
    yield ("`kubectl apply -k kubernetes`: everything, with what Amazon needs on top (`amazon.yaml`).",)


def _on_fargate(context: Context) -> Iterator[Sequence[str]]:
    cluster, region = context.scope.named(), context.scope.environment.region
    again = f"aws ecs update-service --region {region} --cluster {cluster} --force-new-deployment"
    yield (
        *_pushed(context, "../images", "services", ".[$name].image"),
        "A first deployment that found no image or no secret has ended; begin it anew:",
        *typed(*_each(context, f'{again} --service "$name"')),
    )
    if any(one.migrates for one in context.all(Workload)):
        yield ("Migrate: services do so when they start, one after the other under a lock.",)
    yield declared(context)


def _each(context: Context, *commands: str) -> Iterator[str]:
    """Type commands once for each service."""
    yield f"for name in {' '.join(service.name for service in context.scope.plan.services)}; do"
    yield from (f"  {command}" for command in commands)
    yield "done"


def _pushed(context: Context, folder: str, output: str, within: str) -> Sequence[str]:
    """Say how images are built and where they go."""
    environment = context.scope.environment
    region, platform = environment.region, "linux/arm64" if environment.architecture == "ARM64" else "linux/amd64"
    built = (
        f'docker build --file "{folder}/$name/Dockerfile" --platform {platform} --tag "$image:{environment.version}"'
    )
    return (
        f"Lock what `requirements.in` of all of `{folder}` asks for into `requirements.txt` of the project, with",
        "hashes; build the images in its folder (PROJECT), and push them:",
        *typed(
            f"registry=$(aws sts get-caller-identity --query Account --output text).dkr.ecr.{region}.amazonaws.com",
            f'aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin "$registry"',
            *_each(
                context,
                f"image=$(terraform output -json {output} | jq -r --arg name \"$name\" '{within}')",
                f"{built} PROJECT",
                f'docker push "$image:{environment.version}"',
            ),
        ),
    )
