"""The host agent: one process for each compute host, in the host's network namespace, serving HTTP on a local socket.

Start it with ``python -m nfvcert.nfvi.agent --config FILE`` (:class:`nfvcert.nfvi.agent.models.AgentConfig`).
"""
