"""Traffic: generator protocol, profiles, flow tables, the embedded generator, real TCP sessions."""
