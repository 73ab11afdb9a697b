# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# A ring and its keys cannot be removed, only their versions can.
resource "google_kms_key_ring" "main" {
  name     = "cafe"
  location = "us-central1"
}

# A ring and its keys cannot be removed, only their versions can.
resource "google_kms_key_ring" "wide" {
  name     = "cafe"
  location = "us"
}

# Encrypts what cafe keeps in far.
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

# Encrypts what cafe keeps in far.
resource "google_kms_crypto_key" "shared" {
  name                       = "shared"
  key_ring                   = google_kms_key_ring.wide.id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "7776000s"
  destroy_scheduled_duration = "2592000s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_project_service_identity" "artifactregistry" {
  provider = google-beta
  service  = "artifactregistry.googleapis.com"
}

resource "google_kms_crypto_key_iam_member" "shared_artifactregistry" {
  crypto_key_id = google_kms_crypto_key.shared.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = google_project_service_identity.artifactregistry.member
}

resource "google_project_service_identity" "pubsub" {
  provider = google-beta
  service  = "pubsub.googleapis.com"
}

resource "google_kms_crypto_key_iam_member" "shared_pubsub" {
  crypto_key_id = google_kms_crypto_key.shared.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = google_project_service_identity.pubsub.member
}

# The file jwks.json. Verifies tokens; not secret.
resource "google_secret_manager_secret" "all_jwks" {
  secret_id           = "all_jwks"
  deletion_protection = true

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }

      replicas {
        location = "us-east1"
      }
    }
  }
}
