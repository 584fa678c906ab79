"""The embedded NFVI: compute hosts, virtual networks, containers and ports, built from kernel namespaces.

A host is a network namespace with an agent process (:mod:`nfvcert.nfvi.agent`);
:class:`nfvcert.nfvi.embedded.EmbeddedNfvi` brings a set of them up and guarantees that nothing is left of them. What a run creates carries its run id in the name
(:mod:`nfvcert.nfvi.names`), so that :mod:`nfvcert.nfvi.sweep` can remove it after any crash.
"""
