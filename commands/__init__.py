"""What may be asked of the ledger, and the one path by which it is done."""
