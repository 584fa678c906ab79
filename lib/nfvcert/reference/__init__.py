"""The reference MANO stack: NFVO, VNFM, EM and VIM, each a process of its own that speaks the published interfaces.

Only ``testbed.drivers`` and the command line may import from here: a suite cannot tell this stack from a vendor's.
"""
