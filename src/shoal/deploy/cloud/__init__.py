"""What every cloud is told the same: sizes, names, needs, secrets and settings. It knows no cloud and no syntax."""
