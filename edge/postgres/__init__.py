"""PostgreSQL as the ledger uses it: where it is, what is in it, and how to connect."""
