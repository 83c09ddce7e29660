"""The contracts: what messages look like, for programs that never see this code."""
