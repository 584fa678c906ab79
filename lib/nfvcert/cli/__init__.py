"""The command line: verbs over the rooms. Heavy imports wait until a verb needs them."""

from nfvcert.cli.main import main

__all__ = ["main"]
