# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# Nothing in it has a public address; services reach what is outside by the gateway.
resource "google_compute_network" "main" {
  name                    = "cafe"
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

# It is in every zone of the region.
resource "google_compute_subnetwork" "main" {
  name                     = "cafe"
  region                   = "us-central1"
  network                  = google_compute_network.main.id
  ip_cidr_range            = cidrsubnet("10.40.0.0/16", 4, 0)
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
  }
}

resource "google_dns_managed_zone" "google" {
  name       = "google"
  dns_name   = "googleapis.com."
  visibility = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.main.id
    }
  }
}

resource "google_dns_record_set" "google" {
  managed_zone = google_dns_managed_zone.google.name
  name         = "googleapis.com."
  type         = "A"
  ttl          = 300
  rrdatas      = ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]
}

resource "google_dns_record_set" "google_every" {
  managed_zone = google_dns_managed_zone.google.name
  name         = "*.googleapis.com."
  type         = "CNAME"
  ttl          = 300
  rrdatas      = ["googleapis.com."]
}

resource "google_dns_managed_zone" "run" {
  name       = "run"
  dns_name   = "run.app."
  visibility = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.main.id
    }
  }
}

resource "google_dns_record_set" "run" {
  managed_zone = google_dns_managed_zone.run.name
  name         = "run.app."
  type         = "A"
  ttl          = 300
  rrdatas      = ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]
}

resource "google_dns_record_set" "run_every" {
  managed_zone = google_dns_managed_zone.run.name
  name         = "*.run.app."
  type         = "CNAME"
  ttl          = 300
  rrdatas      = ["run.app."]
}

resource "google_dns_managed_zone" "images" {
  name       = "images"
  dns_name   = "pkg.dev."
  visibility = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.main.id
    }
  }
}

resource "google_dns_record_set" "images" {
  managed_zone = google_dns_managed_zone.images.name
  name         = "pkg.dev."
  type         = "A"
  ttl          = 300
  rrdatas      = ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]
}

resource "google_dns_record_set" "images_every" {
  managed_zone = google_dns_managed_zone.images.name
  name         = "*.pkg.dev."
  type         = "CNAME"
  ttl          = 300
  rrdatas      = ["pkg.dev."]
}

resource "google_compute_router" "main" {
  name    = "cafe"
  region  = "us-central1"
  network = google_compute_network.main.id
}

resource "google_compute_router_nat" "main" {
  name                                = "cafe"
  region                              = "us-central1"
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

# Addresses of the databases that Google runs for us, in a network of its own.
resource "google_compute_global_address" "engines" {
  name          = "cafe-engines"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  network       = google_compute_network.main.id
  address       = "10.40.64.0"
  prefix_length = 18
}

resource "google_service_networking_connection" "engines" {
  network                 = google_compute_network.main.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.engines.name]
}

resource "google_network_connectivity_service_connection_policy" "valkey" {
  name          = "cafe-valkey"
  location      = "us-central1"
  service_class = "gcp-memorystore"
  network       = google_compute_network.main.id

  psc_config {
    subnetworks = [google_compute_subnetwork.main.id]
  }
}

# What is not let out below stays.
resource "google_compute_firewall" "nothing-else" {
  name               = "cafe-nothing-else"
  network            = google_compute_network.main.id
  direction          = "EGRESS"
  priority           = 65000
  destination_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }
}

# Interfaces of Google, and other services on Cloud Run, which ask who calls.
resource "google_compute_firewall" "google" {
  name               = "cafe-google"
  network            = google_compute_network.main.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = ["199.36.153.8/30"]

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }
}

# Who has a part of the cache.
resource "google_compute_firewall" "valkey" {
  name               = "cafe-valkey"
  network            = google_compute_network.main.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [google_compute_subnetwork.main.ip_cidr_range]
  target_tags        = ["menu"]

  allow {
    protocol = "tcp"
    ports    = ["6379"]
  }
}
