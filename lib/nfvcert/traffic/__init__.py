"""Traffic: generators and their protocol, profiles, flow records, latencies, TCP sessions."""
