"""Votes and what they prove: keys and counts (device), bounds and tests (host)."""
