"""References → Terraform's expressions. Pure."""

from shoal.deploy.cloud.hcl import Addresses, label
from shoal.deploy.cloud.linked import Link
from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.resources import Account
from shoal.deploy.gcp.secrets import key_of
from shoal.deploy.terraform.values import Raw, Text, Value

_SQL = "google_sql_database_instance.{}"
_VALKEY = "google_memorystore_instance.{}"

ADDRESSES = Addresses(
    {
        ("account", "email"): "google_service_account.{}.email",
        ("account", "id"): "google_service_account.{}.name",
        ("account", "member"): "google_service_account.{}.member",
        ("bucket", "name"): "google_storage_bucket.{}.name",
        ("cache", "address"): f"{_VALKEY}.endpoints[0].connections[0].psc_auto_connection[0].ip_address",
        ("cache", "authority"): f'join("\\n", {_VALKEY}.managed_server_ca[0].ca_certs[0].certificates)',
        ("dataset", "id"): "google_bigquery_dataset.{}.dataset_id",
        ("inside", "range"): 'format("%s/32", google_compute_address.inside.address)',
        ("key", "id"): "google_kms_crypto_key.{}.id",
        ("network", "range"): "google_compute_subnetwork.{}.ip_cidr_range",
        ("operator", "name"): "google_cloud_run_v2_job.{}.name",
        ("password", "result"): "random_password.{}.result",
        ("postgres", "address"): f"{_SQL}.private_ip_address",
        ("postgres", "authority"): f"{_SQL}.server_ca_cert[0].cert",
        ("postgres", "range"): f'format("%s/32", {_SQL}.private_ip_address)',
        ("project", "id"): "data.google_project.{}.project_id",
        ("project", "number"): "data.google_project.{}.number",
        ("repository", "name"): "google_artifact_registry_repository.{}.name",
        ("secret", "text"): "google_secret_manager_secret_version.{}.secret_data",
        ("secret", "id"): "google_secret_manager_secret.{}.secret_id",
        ("subscription", "name"): "google_pubsub_subscription.{}.name",
        ("topic", "name"): "google_pubsub_topic.{}.name",
        ("workload", "name"): "google_cloud_run_v2_service.{}.name",
    }
)
"""Kind and attribute → where Terraform has it."""

LINK = Link(
    names={
        "google_compute_network": ("name",),
        "google_kms_crypto_key": ("name", "key_ring"),
        "google_kms_key_ring": ("name", "location"),
        "google_secret_manager_secret": ("secret_id",),
        "google_secret_manager_secret_version": ("secret",),
    },
    late=frozenset({"google_cloud_run_v2_service"}),
)
"""How a second region finds what the first has made for both, and what is there once it has taken over."""

at, written = ADDRESSES.at, ADDRESSES.written

PROJECT, NUMBER = at(Ref("project", "own", "id")), at(Ref("project", "own", "number"))
NETWORK, SUBNET = Raw("google_compute_network.main.id"), Raw("google_compute_subnetwork.main.id")
BETA = Raw("google-beta")
"""The provider that knows what the other does not yet."""


def encrypted(context: Context, argument: str, agent: str) -> dict[str, Value]:
    """Encrypt by our key; Google's account must be allowed to before."""
    if not context.scope.environment.keys:
        return {}
    key = key_of(context.scope, agent)
    waits = [Raw(f"google_kms_crypto_key_iam_member.{key}_{agent}")]
    return {argument: at(Ref("key", key, "id")), "depends_on": waits}


def member(account: str, context: Context) -> Value:
    """Say whom a right is given: a service account, or an account of the cluster, whom Google knows by the cluster."""
    namespace = context.scope.namespace
    if not namespace or account not in {one.name for one in context.all(Account) if one.namespace}:
        return at(Ref("account", account, "member"))
    start = ("principal://iam.googleapis.com/projects/", NUMBER, "/locations/global/workloadIdentityPools/", PROJECT)
    return Text((*start, f".svc.id.goog/subject/ns/{namespace}/sa/{account}"))


def local(*parts: str) -> str:
    """Name a resource of Terraform after several things."""
    return "_".join(label(part.replace(".", "_").replace("/", "_")) for part in parts)
