"""The reference VIM: the subset of OpenStack's identity, compute, network and image services that a VNFM needs."""
