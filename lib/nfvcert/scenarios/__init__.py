"""Scenarios: the stimuli. They bring a service up, load it, modify it, disturb it, and record what is seen.

They do not judge: whether what was seen is right is decided afterwards by the checkers.
"""
