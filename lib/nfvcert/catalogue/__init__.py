"""The catalogue: requirements, test purposes and seeded defects as data, and the check that nothing hangs loose."""

from nfvcert.catalogue.coverage import Problem, check
from nfvcert.catalogue.loader import load
from nfvcert.catalogue.matrix import MatrixRow, matrix, render
from nfvcert.catalogue.model import Catalogue, Defect, Purpose, Requirement
from nfvcert.catalogue.nonconformities import Nonconformity, discover
from nfvcert.catalogue.selection import select

__all__ = [
    "Catalogue",
    "Defect",
    "MatrixRow",
    "Nonconformity",
    "Problem",
    "Purpose",
    "Requirement",
    "check",
    "discover",
    "load",
    "matrix",
    "render",
    "select",
]
