"""Measurements, not shipped: each is a module that measures one thing and prints its table."""
