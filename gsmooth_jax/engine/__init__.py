"""Votes on devices: the compiled kernel, and the scheduler that keeps it busy. Knows no method."""
