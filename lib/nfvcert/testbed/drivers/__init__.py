"""Drivers: the standard interfaces of a stack, and the ways into the embedded NFVI."""
