# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "google_project_iam_custom_role" "listsStreams" {
  role_id     = "listsStreams"
  title       = "Knows which streams there are"
  permissions = ["pubsub.topics.get", "pubsub.topics.list"]
}

resource "google_project_iam_custom_role" "declaresStreams" {
  role_id = "declaresStreams"
  title   = "Declares streams, and reads no message of them"
  permissions = [
    "pubsub.subscriptions.create",
    "pubsub.subscriptions.delete",
    "pubsub.subscriptions.get",
    "pubsub.subscriptions.list",
    "pubsub.subscriptions.update",
    "pubsub.topics.attachSubscription",
    "pubsub.topics.create",
    "pubsub.topics.delete",
    "pubsub.topics.get",
    "pubsub.topics.list",
  ]
}

# Declares streams, and nothing else.
resource "google_service_account" "operator" {
  account_id   = "operator"
  display_name = "cafe operator"
}

resource "google_project_iam_member" "operator_declaresStreams" {
  project = data.google_project.own.project_id
  role    = google_project_iam_custom_role.declaresStreams.id
  member  = google_service_account.operator.member
}

# Lets the first reader have its turn.
resource "google_pubsub_topic_iam_member" "operator_pubsub_publisher_CAFE_MENU_DEAD__turn" {
  topic  = google_pubsub_topic.CAFE_MENU_DEAD__turn.name
  role   = "roles/pubsub.publisher"
  member = google_service_account.operator.member
}

resource "google_service_account" "pipelines_delivery" {
  account_id   = "delivery"
  display_name = "cafe pipelines_delivery"
}

# Pipelines show a token of their run, and keep no key.
resource "google_iam_workload_identity_pool" "pipelines" {
  workload_identity_pool_id = "pipelines"
  display_name              = "Pipelines"
}

resource "google_iam_workload_identity_pool_provider" "pipelines" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.pipelines.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }
  attribute_condition = "assertion.repository == 'example/cafe'"

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "pipelines_delivery_pipelines" {
  service_account_id = google_service_account.pipelines_delivery.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.pipelines.name}/subject/repo:example/cafe:environment:production"
}

resource "google_artifact_registry_repository_iam_member" "pipelines_delivery_artifactregistry_writer_cafe" {
  location   = "us-central1"
  repository = google_artifact_registry_repository.cafe.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.pipelines_delivery.member
}

resource "google_cloud_run_v2_service_iam_member" "pipelines_delivery_run_developer_till" {
  location = "us-central1"
  name     = google_cloud_run_v2_service.till.name
  role     = "roles/run.developer"
  member   = google_service_account.pipelines_delivery.member
}

resource "google_cloud_run_v2_service_iam_member" "pipelines_delivery_run_developer_menu" {
  location = "us-central1"
  name     = google_cloud_run_v2_service.menu.name
  role     = "roles/run.developer"
  member   = google_service_account.pipelines_delivery.member
}

resource "google_cloud_run_v2_job_iam_member" "pipelines_delivery_run_developer_operator" {
  location = "us-central1"
  name     = google_cloud_run_v2_job.operator.name
  role     = "roles/run.developer"
  member   = google_service_account.pipelines_delivery.member
}

# It runs as this account.
resource "google_service_account_iam_member" "pipelines_delivery_iam_serviceAccountUser_till" {
  service_account_id = google_service_account.till.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.pipelines_delivery.member
}

# It runs as this account.
resource "google_service_account_iam_member" "pipelines_delivery_iam_serviceAccountUser_menu" {
  service_account_id = google_service_account.menu.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.pipelines_delivery.member
}

# It runs as this account.
resource "google_service_account_iam_member" "pipelines_delivery_iam_serviceAccountUser_operator" {
  service_account_id = google_service_account.operator.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.pipelines_delivery.member
}
