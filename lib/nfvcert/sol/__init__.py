"""Data models and HTTP clients of the ETSI NFV-SOL interfaces (SOL002, SOL003, SOL005, coordination, SOL013 rules).

Field names are those of the standards. Import the modules directly; this package stays empty so that a process pays
only for the models it uses.
"""
