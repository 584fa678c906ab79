"""The reference VNFM: vnflcm v2 (SOL003 for the NFVO, SOL002 for the EM), with resources at an OpenStack-like VIM."""
