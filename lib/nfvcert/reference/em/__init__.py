"""The reference EM: coordinates life cycle operations with a VNF's traffic decider and workers."""
