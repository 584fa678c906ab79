"""The controller of a dataplane as a process: scalings asked for over HTTP, planned purely, carried out in order."""
