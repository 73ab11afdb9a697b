# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "google_monitoring_alert_policy" "behind" {
  display_name = "cafe-far-standby-behind"
  combiner     = "OR"

  conditions {
    display_name = "behind"

    condition_threshold {
      filter                  = "resource.type = \"cloudsql_database\" AND metric.type = \"cloudsql.googleapis.com/database/replication/replica_lag\""
      comparison              = "COMPARISON_GT"
      threshold_value         = 900
      duration                = "300s"
      evaluation_missing_data = var.take_over ? "EVALUATION_MISSING_DATA_INACTIVE" : "EVALUATION_MISSING_DATA_ACTIVE"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.database_id"]
      }
    }
  }

  documentation {
    content   = "A copy of a database is more than 900 s behind, or does not follow any more: so much is lost by taking over now."
    mime_type = "text/markdown"
  }
}
