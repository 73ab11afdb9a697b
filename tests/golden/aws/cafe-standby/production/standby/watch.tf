# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "aws_sns_topic" "alarms" {
  name = "cafe-production-standby-alarms"
}
