"""The log of facts and the answers kept; the one place that speaks the eventsourcing library."""
