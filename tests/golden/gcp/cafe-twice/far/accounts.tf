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
