"""Peers: other programs that do the same job, driven by their own command lines and read by their own counters."""
