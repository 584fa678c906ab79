"""Benchmarks: nfvcert's dataplane and its peers on the same kind of ports, in the same run, in turn."""
