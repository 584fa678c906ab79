"""Checkers for dynamic scaling with migration avoidance (ETSI GS NFV-REL 002 clause 6.2 and annex A.1).

One module a requirement; importing registers them all.
"""

from nfvcert.checkers.rel002 import ma_01, ma_02, ma_03, ma_04, ma_05, ma_06, ma_07

__all__ = ["ma_01", "ma_02", "ma_03", "ma_04", "ma_05", "ma_06", "ma_07"]
