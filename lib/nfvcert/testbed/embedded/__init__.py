"""The embedded testbed: NFVI, reference stack, witness and endpoints, all on this machine, all by this process."""
