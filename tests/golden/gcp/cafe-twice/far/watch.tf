# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "google_logging_project_bucket_config" "main" {
  project        = "cafe-far"
  location       = "global"
  bucket_id      = "_Default"
  retention_days = 30
}

resource "google_monitoring_alert_policy" "errors" {
  display_name = "cafe-far-errors"
  combiner     = "OR"

  conditions {
    display_name = "errors"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.label.response_code_class = \"5xx\""
      comparison      = "COMPARISON_GT"
      threshold_value = 10
      duration        = "300s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
    }
  }

  documentation {
    content   = "A service answers with 500 and above."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "busy-4" {
  display_name = "cafe-far-busy-4"
  combiner     = "OR"

  conditions {
    display_name = "busy-4"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/container/instance_count\""
      comparison      = "COMPARISON_GT"
      threshold_value = 3.5
      duration        = "900s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MIN"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
    }
  }

  documentation {
    content   = "A service has had as many instances as it may have, which are 4, for a quarter of an hour."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "late" {
  display_name = "cafe-far-late"
  combiner     = "OR"

  conditions {
    display_name = "late"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.label.subscription_id = monitoring.regex.full_match(\"^CAFE_.*[.][^_].*$\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 300
      duration        = "300s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.subscription_id"]
      }
    }
  }

  documentation {
    content   = "Messages have waited for five minutes."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "letters" {
  display_name = "cafe-far-letters"
  combiner     = "OR"

  conditions {
    display_name = "letters"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.label.subscription_id = monitoring.regex.full_match(\"^CAFE_.*[.]_letters$\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "300s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.subscription_id"]
      }
    }
  }

  documentation {
    content   = "There are dead letters: look with shoal dlq."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "disks" {
  display_name = "cafe-far-disks"
  combiner     = "OR"

  conditions {
    display_name = "disks"

    condition_threshold {
      filter          = "resource.type = \"cloudsql_database\" AND metric.type = \"cloudsql.googleapis.com/database/disk/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.9
      duration        = "300s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.database_id"]
      }
    }
  }

  documentation {
    content   = "Nine tenths of the disk of a database are full, which grows by itself up to a limit."
    mime_type = "text/markdown"
  }
}
