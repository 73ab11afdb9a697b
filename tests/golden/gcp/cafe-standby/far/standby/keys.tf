# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# A ring and its keys cannot be removed, only their versions can.
resource "google_kms_key_ring" "main" {
  name     = "cafe"
  location = "us-east1"
}

# Encrypts what cafe keeps in far-standby.
resource "google_kms_crypto_key" "data" {
  name                       = "data"
  key_ring                   = google_kms_key_ring.main.id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "7776000s"
  destroy_scheduled_duration = "2592000s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_project_service_identity" "memorystore" {
  provider = google-beta
  service  = "memorystore.googleapis.com"
}

resource "google_kms_crypto_key_iam_member" "data_memorystore" {
  crypto_key_id = google_kms_crypto_key.data.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = google_project_service_identity.memorystore.member
}

resource "google_project_service_identity" "sqladmin" {
  provider = google-beta
  service  = "sqladmin.googleapis.com"
}

resource "google_kms_crypto_key_iam_member" "data_sqladmin" {
  crypto_key_id = google_kms_crypto_key.data.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = google_project_service_identity.sqladmin.member
}
