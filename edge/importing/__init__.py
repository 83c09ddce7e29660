"""Histories of another system, read from a bordereau and imported claim by claim, whole or not."""
