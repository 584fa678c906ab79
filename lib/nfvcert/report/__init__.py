"""Reports of a run: certificate, machine-readable exports, signed attestation, and the check of a stored run.

``results.json`` is the only input; see :mod:`nfvcert.report.results_model` for what it holds.
"""

from nfvcert.report.generate import FORMATS, generate
from nfvcert.report.results_model import Results
from nfvcert.report.runfolder import read_results, write_results
from nfvcert.report.summary import Summary, requirement_results, summarise

__all__ = [
    "FORMATS",
    "Results",
    "Summary",
    "generate",
    "read_results",
    "requirement_results",
    "summarise",
    "write_results",
]
