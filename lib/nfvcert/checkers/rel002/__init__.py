"""Checkers for dynamic scaling with migration avoidance (ETSI GS NFV-REL 002 clause 6.2 and annex A.1).

One module a requirement, and one for translated traffic; importing registers them all.
"""

from nfvcert.checkers.rel002 import both_ways, ma_01, ma_02, ma_03, ma_04, ma_05, ma_06, ma_07

__all__ = ["both_ways", "ma_01", "ma_02", "ma_03", "ma_04", "ma_05", "ma_06", "ma_07"]
