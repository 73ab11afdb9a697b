# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# Declares streams, and nothing else.
resource "google_service_account" "operator" {
  account_id   = "operator-standby"
  display_name = "cafe operator"
}

resource "google_project_iam_member" "operator_declaresStreams" {
  project = data.google_project.own.project_id
  role    = "projects/cafe-far/roles/declaresStreams"
  member  = google_service_account.operator.member
}

# Lets the first reader have its turn.
resource "google_pubsub_topic_iam_member" "operator_pubsub_publisher_CAFE_MENU_DEAD__turn" {
  topic  = "CAFE_MENU_DEAD._turn"
  role   = "roles/pubsub.publisher"
  member = google_service_account.operator.member
}
