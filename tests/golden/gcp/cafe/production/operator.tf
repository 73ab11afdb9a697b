# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# Run it after each change of events. Any image that speaks to the broker has what it takes.
resource "google_cloud_run_v2_job" "operator" {
  name                = "operator"
  location            = "us-central1"
  deletion_protection = false

  template {
    template {
      service_account = google_service_account.operator.email
      max_retries     = 1
      timeout         = "300s"

      containers {
        image   = "us-central1-docker.pkg.dev/cafe-production/cafe/till:0.1.0"
        command = ["python", "-m", "shoal.runtime.declaring"]

        env {
          name  = "SHOAL_BROKER_URL"
          value = "pubsub:///cafe-production"
        }

        env {
          name  = "SHOAL_STREAMS"
          value = "{\"streams\":[{\"name\":\"CAFE_TILL\",\"subjects\":[\"cafe.event.till.sold.v1.*\"],\"age\":604800.0,\"largest\":278528},{\"name\":\"CAFE_MENU_DEAD\",\"subjects\":[\"cafe.again.menu\",\"cafe.dead.menu\"],\"age\":0.0}],\"consumers\":[{\"stream\":\"CAFE_TILL\",\"name\":\"menu-0\",\"subjects\":[\"cafe.event.till.sold.v1.0\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-1\",\"subjects\":[\"cafe.event.till.sold.v1.1\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-2\",\"subjects\":[\"cafe.event.till.sold.v1.2\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-3\",\"subjects\":[\"cafe.event.till.sold.v1.3\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_MENU_DEAD\",\"name\":\"menu-again\",\"subjects\":[\"cafe.again.menu\"],\"ack_wait\":5.0}]}"
        }
      }

      vpc_access {
        egress = "ALL_TRAFFIC"

        network_interfaces {
          network    = google_compute_network.main.id
          subnetwork = google_compute_subnetwork.main.id
        }
      }
    }
  }
}
