"""HTTP resources of the reference NFVO."""
