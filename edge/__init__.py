"""Settings, wiring and doors: the only place that knows all the parts."""
