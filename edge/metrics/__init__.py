"""What the loops count and measure, for Prometheus: by a registry of each process's own."""
