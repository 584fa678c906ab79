"""The gate: whether a run is good enough by a profile, with waivers, and against an earlier run."""

from nfvcert.gate.comparison import Comparison, compare
from nfvcert.gate.evaluation import Outcome, Violation, evaluate
from nfvcert.gate.profile import Profile, load_profile
from nfvcert.gate.rundata import RunData, read_run
from nfvcert.gate.text import comparison_text, outcome_text
from nfvcert.gate.waivers import Waiver, load_waivers

__all__ = [
    "Comparison",
    "Outcome",
    "Profile",
    "RunData",
    "Violation",
    "Waiver",
    "compare",
    "comparison_text",
    "evaluate",
    "load_profile",
    "load_waivers",
    "outcome_text",
    "read_run",
]
