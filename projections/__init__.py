"""Each module is one question the ledger can answer quickly."""
