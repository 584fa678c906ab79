"""Measures: values with intervals, limits and decision rules; validity of trials; statistics. Pure."""

from nfvcert.measure.decision import Measure, decide, worst
from nfvcert.measure.verdict import Verdict

__all__ = ["Measure", "Verdict", "decide", "worst"]
