# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "google_pubsub_topic" "CAFE_TILL" {
  name         = "CAFE_TILL"
  kms_key_name = google_kms_crypto_key.shared.id
  depends_on   = [google_kms_crypto_key_iam_member.shared_pubsub]

  message_storage_policy {
    allowed_persistence_regions = ["us-central1", "us-east1"]
  }
}

resource "google_pubsub_topic" "CAFE_MENU_DEAD" {
  name         = "CAFE_MENU_DEAD"
  kms_key_name = google_kms_crypto_key.shared.id
  depends_on   = [google_kms_crypto_key_iam_member.shared_pubsub]

  message_storage_policy {
    allowed_persistence_regions = ["us-central1", "us-east1"]
  }
}

# Dead letters, until somebody removes them or 31 days have gone.
resource "google_pubsub_subscription" "CAFE_MENU_DEAD__letters" {
  name                       = "CAFE_MENU_DEAD._letters"
  topic                      = google_pubsub_topic.CAFE_MENU_DEAD.name
  enable_message_ordering    = true
  ack_deadline_seconds       = 10
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = ""
  }
}

# Whose turn it is to read the letters. The operator's job makes its subscription, and lets the
# first have it.
resource "google_pubsub_topic" "CAFE_MENU_DEAD__turn" {
  name         = "CAFE_MENU_DEAD._turn"
  kms_key_name = google_kms_crypto_key.shared.id
  depends_on   = [google_kms_crypto_key_iam_member.shared_pubsub]

  message_storage_policy {
    allowed_persistence_regions = ["us-central1", "us-east1"]
  }
}
