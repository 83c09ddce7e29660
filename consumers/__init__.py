"""The long-running readers, of Kafka and of the ledger's own log."""
