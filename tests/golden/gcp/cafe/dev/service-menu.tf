# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# Its owner alone.
resource "google_compute_firewall" "postgres-menu" {
  name               = "cafe-postgres-menu"
  network            = google_compute_network.main.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [format("%s/32", google_sql_database_instance.menu.private_ip_address)]
  target_tags        = ["menu"]

  allow {
    protocol = "tcp"
    ports    = ["5432"]
  }
}

resource "random_password" "menu" {
  length  = 40
  special = false
}

# SHOAL_STORE_URL: where it finds its engine.
resource "google_secret_manager_secret" "menu_store-url" {
  secret_id           = "menu_store-url"
  deletion_protection = false

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "menu_store-url" {
  secret      = google_secret_manager_secret.menu_store-url.id
  secret_data = "postgres://menu:${random_password.menu.result}@${google_sql_database_instance.menu.private_ip_address}:5432/menu?sslmode=verify-ca&sslrootcert=/etc/shoal/files/postgres/postgres.pem"
}

# SHOAL_CACHE_URL: where it finds its engine.
resource "google_secret_manager_secret" "menu_cache-url" {
  secret_id           = "menu_cache-url"
  deletion_protection = false

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "menu_cache-url" {
  secret      = google_secret_manager_secret.menu_cache-url.id
  secret_data = "valkeys://default:default@${google_memorystore_instance.main.endpoints[0].connections[0].psc_auto_connection[0].ip_address}:6379/cafe:menu?ca=/etc/shoal/files/valkey/valkey.pem"
}

# The file postgres.pem, by which it believes its engine.
resource "google_secret_manager_secret" "menu_postgres" {
  secret_id           = "menu_postgres"
  deletion_protection = false

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "menu_postgres" {
  secret      = google_secret_manager_secret.menu_postgres.id
  secret_data = google_sql_database_instance.menu.server_ca_cert[0].cert
}

# The file valkey.pem, by which it believes its engine.
resource "google_secret_manager_secret" "menu_valkey" {
  secret_id           = "menu_valkey"
  deletion_protection = false

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }
    }
  }
}

resource "google_secret_manager_secret_version" "menu_valkey" {
  secret      = google_secret_manager_secret.menu_valkey.id
  secret_data = join("\n", google_memorystore_instance.main.managed_server_ca[0].ca_certs[0].certificates)
}

# What there is, and what it costs.
# Declared in cafe/menu.py:9.
resource "google_cloud_run_v2_service" "menu" {
  name                = "menu"
  location            = "us-central1"
  ingress             = "INGRESS_TRAFFIC_ALL"
  custom_audiences    = ["https://menu-${data.google_project.own.number}.us-central1.run.app"]
  deletion_protection = false
  depends_on = [
    google_secret_manager_secret_version.menu_store-url,
    google_secret_manager_secret_version.menu_cache-url,
    google_secret_manager_secret_version.menu_postgres,
    google_secret_manager_secret_version.menu_valkey,
    google_secret_manager_secret_iam_member.menu_secretmanager_secretAccessor_menu_store-url,
    google_secret_manager_secret_iam_member.menu_secretmanager_secretAccessor_menu_cache-url,
    google_secret_manager_secret_iam_member.menu_secretmanager_secretAccessor_all_jwks,
    google_secret_manager_secret_iam_member.menu_secretmanager_secretAccessor_menu_postgres,
    google_secret_manager_secret_iam_member.menu_secretmanager_secretAccessor_menu_valkey,
    google_sql_database.menu,
    google_sql_user.menu,
  ]

  template {
    service_account                  = google_service_account.menu.email
    timeout                          = "5s"
    max_instance_request_concurrency = 80
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"

    scaling {
      min_instance_count = 1
      max_instance_count = 4
    }

    vpc_access {
      egress = "ALL_TRAFFIC"

      network_interfaces {
        network    = google_compute_network.main.id
        subnetwork = google_compute_subnetwork.main.id
        tags       = ["menu"]
      }
    }

    containers {
      name    = "menu"
      image   = "us-central1-docker.pkg.dev/cafe-dev/cafe/menu:0.1.0"
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
        value = "cafe.menu:menu"
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
        name  = "SHOAL_CALLER"
        value = "google"
      }

      env {
        name  = "SHOAL_FORWARDED"
        value = "x-forwarded-authorization"
      }

      env {
        name  = "SHOAL_BROKER_URL"
        value = "pubsub:///cafe-dev"
      }

      env {
        name = "SHOAL_STORE_URL"

        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.menu_store-url.secret_id
            version = "latest"
          }
        }
      }

      env {
        name = "SHOAL_CACHE_URL"

        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.menu_cache-url.secret_id
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
        name       = "valkey-pem"
        mount_path = "/etc/shoal/files/valkey"
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
        secret = google_secret_manager_secret.menu_postgres.secret_id

        items {
          path    = "postgres.pem"
          version = "latest"
          mode    = 292
        }
      }
    }

    volumes {
      name = "valkey-pem"

      secret {
        secret = google_secret_manager_secret.menu_valkey.secret_id

        items {
          path    = "valkey.pem"
          version = "latest"
          mode    = 292
        }
      }
    }
  }
}

# Declared in cafe/menu.py:9.
resource "google_sql_database_instance" "menu" {
  name                = "menu"
  region              = "us-central1"
  database_version    = "POSTGRES_17"
  deletion_protection = false
  depends_on          = [google_service_networking_connection.engines]

  settings {
    tier                        = "db-custom-1-3840"
    edition                     = "ENTERPRISE"
    availability_type           = "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = 20
    disk_autoresize             = true
    disk_autoresize_limit       = 100
    deletion_protection_enabled = false
    retain_backups_on_delete    = false

    ip_configuration {
      ipv4_enabled                                  = false
      private_network                               = google_compute_network.main.id
      ssl_mode                                      = "ENCRYPTED_ONLY"
      enable_private_path_for_google_cloud_services = false
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "02:00"
      point_in_time_recovery_enabled = false

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

resource "google_sql_database" "menu" {
  name     = "menu"
  instance = google_sql_database_instance.menu.name
}

resource "google_sql_user" "menu" {
  name                = "menu"
  instance            = google_sql_database_instance.menu.name
  password_wo         = random_password.menu.result
  password_wo_version = 1
  deletion_policy     = "ABANDON"
}

resource "google_pubsub_subscription" "CAFE_TILL_menu-0" {
  name                       = "CAFE_TILL.menu-0"
  topic                      = google_pubsub_topic.CAFE_TILL.name
  enable_message_ordering    = true
  ack_deadline_seconds       = 10
  message_retention_duration = "604800s"
  filter                     = "attributes.tail = \"0\""

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "CAFE_TILL_menu-1" {
  name                       = "CAFE_TILL.menu-1"
  topic                      = google_pubsub_topic.CAFE_TILL.name
  enable_message_ordering    = true
  ack_deadline_seconds       = 10
  message_retention_duration = "604800s"
  filter                     = "attributes.tail = \"1\""

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "CAFE_TILL_menu-2" {
  name                       = "CAFE_TILL.menu-2"
  topic                      = google_pubsub_topic.CAFE_TILL.name
  enable_message_ordering    = true
  ack_deadline_seconds       = 10
  message_retention_duration = "604800s"
  filter                     = "attributes.tail = \"2\""

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "CAFE_TILL_menu-3" {
  name                       = "CAFE_TILL.menu-3"
  topic                      = google_pubsub_topic.CAFE_TILL.name
  enable_message_ordering    = true
  ack_deadline_seconds       = 10
  message_retention_duration = "604800s"
  filter                     = "attributes.tail = \"3\""

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "CAFE_MENU_DEAD_menu-again" {
  name                       = "CAFE_MENU_DEAD.menu-again"
  topic                      = google_pubsub_topic.CAFE_MENU_DEAD.name
  enable_message_ordering    = true
  ack_deadline_seconds       = 10
  message_retention_duration = "2678400s"
  filter                     = "attributes.tail = \"menu\""

  expiration_policy {
    ttl = ""
  }
}

# Declared in cafe/menu.py:9.
resource "google_service_account" "menu" {
  account_id   = "service-menu"
  display_name = "cafe menu"
}

# Its own events, and its own dead letters.
resource "google_pubsub_topic_iam_member" "menu_pubsub_publisher_CAFE_MENU_DEAD" {
  topic  = google_pubsub_topic.CAFE_MENU_DEAD.name
  role   = "roles/pubsub.publisher"
  member = google_service_account.menu.member
}

# What it subscribed to.
resource "google_pubsub_subscription_iam_member" "menu_pubsub_subscriber_CAFE_TILL_menu-0" {
  subscription = google_pubsub_subscription.CAFE_TILL_menu-0.name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.menu.member
}

# What it subscribed to.
resource "google_pubsub_subscription_iam_member" "menu_pubsub_subscriber_CAFE_TILL_menu-1" {
  subscription = google_pubsub_subscription.CAFE_TILL_menu-1.name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.menu.member
}

# What it subscribed to.
resource "google_pubsub_subscription_iam_member" "menu_pubsub_subscriber_CAFE_TILL_menu-2" {
  subscription = google_pubsub_subscription.CAFE_TILL_menu-2.name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.menu.member
}

# What it subscribed to.
resource "google_pubsub_subscription_iam_member" "menu_pubsub_subscriber_CAFE_TILL_menu-3" {
  subscription = google_pubsub_subscription.CAFE_TILL_menu-3.name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.menu.member
}

# What it subscribed to.
resource "google_pubsub_subscription_iam_member" "menu_pubsub_subscriber_CAFE_MENU_DEAD_menu-again" {
  subscription = google_pubsub_subscription.CAFE_MENU_DEAD_menu-again.name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.menu.member
}

# Which streams there are.
resource "google_project_iam_member" "menu_listsStreams" {
  project = data.google_project.own.project_id
  role    = google_project_iam_custom_role.listsStreams.id
  member  = google_service_account.menu.member
}

# It declares a call of it.
resource "google_cloud_run_v2_service_iam_member" "menu_run_invoker_till" {
  location = "us-central1"
  name     = google_cloud_run_v2_service.till.name
  role     = "roles/run.invoker"
  member   = google_service_account.menu.member
}

resource "google_secret_manager_secret_iam_member" "menu_secretmanager_secretAccessor_menu_store-url" {
  secret_id = google_secret_manager_secret.menu_store-url.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.menu.member
}

resource "google_secret_manager_secret_iam_member" "menu_secretmanager_secretAccessor_menu_cache-url" {
  secret_id = google_secret_manager_secret.menu_cache-url.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.menu.member
}

resource "google_secret_manager_secret_iam_member" "menu_secretmanager_secretAccessor_all_jwks" {
  secret_id = google_secret_manager_secret.all_jwks.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.menu.member
}

resource "google_secret_manager_secret_iam_member" "menu_secretmanager_secretAccessor_menu_postgres" {
  secret_id = google_secret_manager_secret.menu_postgres.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.menu.member
}

resource "google_secret_manager_secret_iam_member" "menu_secretmanager_secretAccessor_menu_valkey" {
  secret_id = google_secret_manager_secret.menu_valkey.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.menu.member
}
