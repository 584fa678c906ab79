"""Python side of the native dataplane: control clients, switch drivers, and the controller of dynamic scaling.

Source: ETSI GS NFV-REL 002 V1.1.1, clauses 6.2, 7.2 and A.1.
"""
