# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# Its owner alone.
resource "google_compute_firewall" "postgres-till" {
  name               = "cafe-postgres-till"
  network            = google_compute_network.main.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [format("%s/32", google_sql_database_instance.till.private_ip_address)]
  target_tags        = ["till"]

  allow {
    protocol = "tcp"
    ports    = ["5432"]
  }
}

resource "random_password" "till" {
  length  = 40
  special = false
}

# SHOAL_STORE_URL: where it finds its engine.
resource "google_secret_manager_secret" "till_store-url" {
  secret_id           = "till_store-url"
  deletion_protection = true

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "till_store-url" {
  secret      = google_secret_manager_secret.till_store-url.id
  secret_data = "postgres://till:${random_password.till.result}@${google_sql_database_instance.till.private_ip_address}:5432/till?sslmode=verify-ca&sslrootcert=/etc/shoal/files/postgres/postgres.pem"
}

# The file postgres.pem, by which it believes its engine.
resource "google_secret_manager_secret" "till_postgres" {
  secret_id           = "till_postgres"
  deletion_protection = true

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "till_postgres" {
  secret      = google_secret_manager_secret.till_postgres.id
  secret_data = google_sql_database_instance.till.server_ca_cert[0].cert
}

# The file signing-key.json, which signs tokens; somebody fills it in.
resource "google_secret_manager_secret" "till_signing-key" {
  secret_id           = "till_signing-key"
  deletion_protection = true

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }
    }
  }
}

# Takes what guests pay, and tells it.
# Declared in cafe/till.py:12.
resource "google_cloud_run_v2_service" "till" {
  name                 = "till"
  location             = "us-central1"
  ingress              = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  custom_audiences     = ["https://till-${data.google_project.own.number}.us-central1.run.app"]
  deletion_protection  = true
  invoker_iam_disabled = true
  depends_on = [
    google_secret_manager_secret_version.till_store-url,
    google_secret_manager_secret_version.till_postgres,
    google_secret_manager_secret_iam_member.till_secretmanager_secretAccessor_till_store-url,
    google_secret_manager_secret_iam_member.till_secretmanager_secretAccessor_all_jwks,
    google_secret_manager_secret_iam_member.till_secretmanager_secretAccessor_till_postgres,
    google_secret_manager_secret_iam_member.till_secretmanager_secretAccessor_till_signing-key,
    google_sql_database.till,
    google_sql_user.till,
  ]

  template {
    service_account                  = google_service_account.till.email
    timeout                          = "5s"
    max_instance_request_concurrency = 80
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"

    scaling {
      min_instance_count = 2
      max_instance_count = 4
    }

    vpc_access {
      egress = "ALL_TRAFFIC"

      network_interfaces {
        network    = google_compute_network.main.id
        subnetwork = google_compute_subnetwork.main.id
        tags       = ["till"]
      }
    }

    containers {
      name    = "till"
      image   = "us-central1-docker.pkg.dev/cafe-production/cafe/till:0.1.0"
      command = ["python", "-m", "shoal.runtime"]

      ports {
        container_port = 8080
      }

      resources {
        limits = {
          cpu    = "1"
          memory = "512Mi"
        }
        cpu_idle          = false
        startup_cpu_boost = true
      }

      startup_probe {
        timeout_seconds   = 5
        failure_threshold = 24
        period_seconds    = 10

        http_get {
          path = "/health"
          port = 8080
        }
      }

      liveness_probe {
        timeout_seconds   = 5
        failure_threshold = 3
        period_seconds    = 15

        http_get {
          path = "/health"
          port = 8080
        }
      }

      env {
        name  = "SHOAL_SYSTEM"
        value = "cafe"
      }

      env {
        name  = "SHOAL_ENTRY"
        value = "cafe.till:till"
      }

      env {
        name  = "SHOAL_VERSION"
        value = "0.1.0"
      }

      env {
        name  = "SHOAL_LISTEN"
        value = "tcp:0.0.0.0:8080"
      }

      env {
        name  = "SHOAL_VOUCHED"
        value = "false"
      }

      env {
        name  = "SHOAL_MESH"
        value = "https://{service}-${data.google_project.own.number}.us-central1.run.app"
      }

      env {
        name  = "SHOAL_DRAIN"
        value = "8"
      }

      env {
        name  = "SHOAL_JWKS"
        value = "/etc/shoal/files/jwks/jwks.json"
      }

      env {
        name  = "SHOAL_ISSUER"
        value = "https://cafe.example"
      }

      env {
        name  = "SHOAL_AUDIENCE"
        value = "cafe"
      }

      env {
        name  = "SHOAL_SIGNING_KEY"
        value = "/etc/shoal/files/signing-key/signing-key.json"
      }

      env {
        name  = "SHOAL_CALLER"
        value = "google"
      }

      env {
        name  = "SHOAL_BROKER_URL"
        value = "pubsub:///cafe-production"
      }

      env {
        name = "SHOAL_STORE_URL"

        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.till_store-url.secret_id
            version = "latest"
          }
        }
      }

      volume_mounts {
        name       = "jwks-json"
        mount_path = "/etc/shoal/files/jwks"
      }

      volume_mounts {
        name       = "postgres-pem"
        mount_path = "/etc/shoal/files/postgres"
      }

      volume_mounts {
        name       = "signing-key-json"
        mount_path = "/etc/shoal/files/signing-key"
      }
    }

    volumes {
      name = "jwks-json"

      secret {
        secret = google_secret_manager_secret.all_jwks.secret_id

        items {
          path    = "jwks.json"
          version = "latest"
          mode    = 292
        }
      }
    }

    volumes {
      name = "postgres-pem"

      secret {
        secret = google_secret_manager_secret.till_postgres.secret_id

        items {
          path    = "postgres.pem"
          version = "latest"
          mode    = 292
        }
      }
    }

    volumes {
      name = "signing-key-json"

      secret {
        secret = google_secret_manager_secret.till_signing-key.secret_id

        items {
          path    = "signing-key.json"
          version = "latest"
          mode    = 292
        }
      }
    }
  }
}

# Declared in cafe/till.py:12.
resource "google_sql_database_instance" "till" {
  name                = "till"
  region              = "us-central1"
  database_version    = "POSTGRES_17"
  deletion_protection = true
  encryption_key_name = google_kms_crypto_key.data.id
  depends_on = [
    google_service_networking_connection.engines,
    google_kms_crypto_key_iam_member.data_sqladmin,
  ]

  settings {
    tier                        = "db-custom-1-3840"
    edition                     = "ENTERPRISE"
    availability_type           = "REGIONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = 20
    disk_autoresize             = true
    disk_autoresize_limit       = 100
    deletion_protection_enabled = true
    retain_backups_on_delete    = true

    ip_configuration {
      ipv4_enabled                                  = false
      private_network                               = google_compute_network.main.id
      ssl_mode                                      = "ENCRYPTED_ONLY"
      enable_private_path_for_google_cloud_services = false
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "02:00"
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = 7
        retention_unit   = "COUNT"
      }
    }

    database_flags {
      name  = "max_connections"
      value = "95"
    }

    insights_config {
      query_insights_enabled = true
    }

    maintenance_window {
      day  = 7
      hour = 3
    }
  }

  lifecycle {
    # It grows by itself, and Terraform would make a database anew to have it smaller.
    ignore_changes = [settings[0].disk_size]
  }
}

resource "google_sql_database" "till" {
  name     = "till"
  instance = google_sql_database_instance.till.name
}

resource "google_sql_user" "till" {
  name                = "till"
  instance            = google_sql_database_instance.till.name
  password_wo         = random_password.till.result
  password_wo_version = 1
  deletion_policy     = "ABANDON"
}

# Declared in cafe/till.py:12.
resource "google_service_account" "till" {
  account_id   = "service-till"
  display_name = "cafe till"
}

# Its own events, and its own dead letters.
resource "google_pubsub_topic_iam_member" "till_pubsub_publisher_CAFE_TILL" {
  topic  = google_pubsub_topic.CAFE_TILL.name
  role   = "roles/pubsub.publisher"
  member = google_service_account.till.member
}

# Which streams there are.
resource "google_project_iam_member" "till_listsStreams" {
  project = data.google_project.own.project_id
  role    = google_project_iam_custom_role.listsStreams.id
  member  = google_service_account.till.member
}

# It declares a call of it.
resource "google_cloud_run_v2_service_iam_member" "till_run_invoker_menu" {
  location = "us-central1"
  name     = google_cloud_run_v2_service.menu.name
  role     = "roles/run.invoker"
  member   = google_service_account.till.member
}

resource "google_secret_manager_secret_iam_member" "till_secretmanager_secretAccessor_till_store-url" {
  secret_id = google_secret_manager_secret.till_store-url.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.till.member
}

resource "google_secret_manager_secret_iam_member" "till_secretmanager_secretAccessor_all_jwks" {
  secret_id = google_secret_manager_secret.all_jwks.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.till.member
}

resource "google_secret_manager_secret_iam_member" "till_secretmanager_secretAccessor_till_postgres" {
  secret_id = google_secret_manager_secret.till_postgres.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.till.member
}

resource "google_secret_manager_secret_iam_member" "till_secretmanager_secretAccessor_till_signing-key" {
  secret_id = google_secret_manager_secret.till_signing-key.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.till.member
}
