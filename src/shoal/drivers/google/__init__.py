"""What the drivers of Google's interfaces share: who this process is. No driver by itself."""
