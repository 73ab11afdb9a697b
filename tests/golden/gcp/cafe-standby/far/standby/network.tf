# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# It is in every zone of the region.
resource "google_compute_subnetwork" "main" {
  name                     = "cafe"
  region                   = "us-east1"
  network                  = data.google_compute_network.main.id
  ip_cidr_range            = cidrsubnet("10.41.0.0/16", 4, 0)
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
  }
}

resource "google_compute_router" "main" {
  name    = "cafe"
  region  = "us-east1"
  network = data.google_compute_network.main.id
}

resource "google_compute_router_nat" "main" {
  name                                = "cafe"
  region                              = "us-east1"
  router                              = google_compute_router.main.name
  nat_ip_allocate_option              = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat  = "ALL_SUBNETWORKS_ALL_IP_RANGES"
  enable_dynamic_port_allocation      = true
  min_ports_per_vm                    = 64
  max_ports_per_vm                    = 4096
  enable_endpoint_independent_mapping = false

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

resource "google_network_connectivity_service_connection_policy" "valkey" {
  name          = "cafe-valkey"
  location      = "us-east1"
  service_class = "gcp-memorystore"
  network       = data.google_compute_network.main.id

  psc_config {
    subnetworks = [google_compute_subnetwork.main.id]
  }
}

# Who has a part of the cache.
resource "google_compute_firewall" "valkey" {
  name               = "cafe-valkey-standby"
  network            = data.google_compute_network.main.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [google_compute_subnetwork.main.ip_cidr_range]
  target_tags        = ["menu"]

  allow {
    protocol = "tcp"
    ports    = ["6379"]
  }
}
