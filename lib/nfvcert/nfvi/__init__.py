"""The embedded NFVI: compute hosts, virtual networks, containers and ports, built from kernel namespaces.

A host is a network namespace with an agent process (:mod:`nfvcert.nfvi.agent`). A set of them is brought up, and taken
down without remains, by :class:`nfvcert.nfvi.embedded.EmbeddedNfvi`. What a run creates carries its run id in the name
(:mod:`nfvcert.nfvi.names`), so that :mod:`nfvcert.nfvi.sweep` can remove it after any crash.
"""
