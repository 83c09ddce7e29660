"""What a claim is, what may happen to it, and what must never happen: pure, no clock, no store."""
