"""The systems that may send commands to the ledger."""

SOURCES = ("core-administration", "crm", "mailroom", "telephony", "bank", "desk")
