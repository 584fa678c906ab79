"""Conformance and pre-deployment tests for software modifications of network functions."""
