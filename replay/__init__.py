"""Histories, real or imagined, run through the same code that runs today."""
