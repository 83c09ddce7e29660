"""Kafka as the ledger meets it: its clients, its topics, and every way it says no."""
