"""What the drivers of Azure's interfaces share: who this process is. No driver by itself."""
