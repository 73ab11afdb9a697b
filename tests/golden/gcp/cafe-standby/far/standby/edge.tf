# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# The names of hosts point to it.
resource "google_compute_global_address" "door" {
  name = "cafe-door"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_compute_security_policy" "door" {
  name = "cafe-door"
  type = "CLOUD_ARMOR"

  rule {
    action      = "throttle"
    priority    = 10000
    description = "Each address"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = 2000
        interval_sec = 300
      }
    }
  }

  rule {
    action      = "allow"
    priority    = 2147483647
    description = "Default"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_compute_region_network_endpoint_group" "menu" {
  count                 = var.take_over ? 1 : 0
  name                  = "menu"
  region                = "us-east1"
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloud_run_v2_service.menu[0].name
  }
}

resource "google_compute_backend_service" "menu" {
  name                  = "menu"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.door.id

  backend {
    group = var.take_over ? one(google_compute_region_network_endpoint_group.menu[*].id) : "projects/cafe-far/regions/us-central1/networkEndpointGroups/menu"
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_region_network_endpoint_group" "till" {
  count                 = var.take_over ? 1 : 0
  name                  = "till"
  region                = "us-east1"
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloud_run_v2_service.till[0].name
  }
}

resource "google_compute_backend_service" "till" {
  name                  = "till"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.door.id

  backend {
    group = var.take_over ? one(google_compute_region_network_endpoint_group.till[*].id) : "projects/cafe-far/regions/us-central1/networkEndpointGroups/till"
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_url_map" "door" {
  name            = "cafe-door"
  default_service = google_compute_backend_service.menu.id

  # Nothing is served under other names.
  default_route_action {
    fault_injection_policy {
      abort {
        http_status = 404
        percentage  = 100
      }
    }
  }

  header_action {
    request_headers_to_remove = [
      "cf-connecting-ip",
      "forwarded",
      "remote-user",
      "true-client-ip",
      "x-client-ip",
      "x-cluster-client-ip",
      "x-http-method",
      "x-http-method-override",
      "x-method-override",
      "x-original-host",
      "x-original-method",
      "x-original-url",
      "x-real-ip",
      "x-remote-user",
      "x-rewrite-url",
      "x-webauth-user",
    ]
  }

  host_rule {
    hosts        = ["cafe.example"]
    path_matcher = "served"
  }

  path_matcher {
    name            = "served"
    default_service = google_compute_backend_service.menu.id

    default_route_action {
      fault_injection_policy {
        abort {
          http_status = 404
          percentage  = 100
        }
      }
    }

    route_rules {
      priority = 1
      service  = google_compute_backend_service.till.id

      match_rules {
        full_path_match = "/.well-known/jwks.json"

        header_matches {
          header_name = ":method"
          exact_match = "GET"
        }
      }
    }

    route_rules {
      priority = 2
      service  = google_compute_backend_service.menu.id

      match_rules {
        full_path_match = "/menu"

        header_matches {
          header_name = ":method"
          exact_match = "GET"
        }
      }
    }

    route_rules {
      priority = 3
      service  = google_compute_backend_service.till.id

      match_rules {
        full_path_match = "/sales"

        header_matches {
          header_name = ":method"
          exact_match = "POST"
        }
      }
    }

    route_rules {
      priority = 4
      service  = google_compute_backend_service.till.id

      match_rules {
        path_template_match = "/sales/{number=*}"

        header_matches {
          header_name = ":method"
          exact_match = "GET"
        }
      }
    }
  }
}

resource "google_compute_managed_ssl_certificate" "door" {
  name = "cafe-door"

  managed {
    domains = ["cafe.example"]
  }
}

resource "google_compute_ssl_policy" "door" {
  name            = "cafe-door"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "door" {
  name             = "cafe-door"
  url_map          = google_compute_url_map.door.id
  ssl_certificates = [google_compute_managed_ssl_certificate.door.id]
  ssl_policy       = google_compute_ssl_policy.door.id
}

resource "google_compute_global_forwarding_rule" "door" {
  name                  = "cafe-door"
  target                = google_compute_target_https_proxy.door.id
  port_range            = "443"
  ip_address            = google_compute_global_address.door.id
  load_balancing_scheme = "EXTERNAL_MANAGED"
}

resource "google_compute_url_map" "plain" {
  name = "cafe-plain"

  default_url_redirect {
    https_redirect = true
    strip_query    = false
  }
}

resource "google_compute_target_http_proxy" "plain" {
  name    = "cafe-plain"
  url_map = google_compute_url_map.plain.id
}

resource "google_compute_global_forwarding_rule" "plain" {
  name                  = "cafe-plain"
  target                = google_compute_target_http_proxy.plain.id
  port_range            = "80"
  ip_address            = google_compute_global_address.door.id
  load_balancing_scheme = "EXTERNAL_MANAGED"
}
