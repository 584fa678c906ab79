"""Checkers for dynamic scaling with migration avoidance (ETSI GS NFV-REL 002 clause 6.2 and annex A.1).

One module a requirement, one for the experiment of the annex, one for translated traffic; importing registers them.
"""

from nfvcert.checkers.rel002 import annex_a1, both_ways, ma_01, ma_02, ma_03, ma_04, ma_05, ma_06, ma_07

__all__ = ["annex_a1", "both_ways", "ma_01", "ma_02", "ma_03", "ma_04", "ma_05", "ma_06", "ma_07"]
