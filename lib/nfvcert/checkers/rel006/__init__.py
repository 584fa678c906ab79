"""Checkers for the requirements of ETSI GS NFV-REL 006, one module a requirement. Importing registers them all."""

from nfvcert.checkers.rel006 import (
    gen_02,
    vnf_m_01,
    vnf_m_03,
    vnf_m_05,
    vnf_m_06,
    vnf_m_08,
    vnf_m_09,
    vnf_m_12,
    vnf_m_13,
)

__all__ = ["gen_02", "vnf_m_01", "vnf_m_03", "vnf_m_05", "vnf_m_06", "vnf_m_08", "vnf_m_09", "vnf_m_12", "vnf_m_13"]
