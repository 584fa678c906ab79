"""Configuration of the EM."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from nfvcert.reference.common.config import ComponentConfig
from nfvcert.reference.em.management import MANAGEMENT_PORT


class Peers(BaseModel):
    """Root URLs of the components that the EM calls."""

    model_config = ConfigDict(extra="forbid")

    vnfm: str


class EmConfig(ComponentConfig):
    """All keys; times in seconds.

    Attributes:
        southbound_netns: network namespace in which connections to VNFCs are made; None: that of the process.
        management_port: TCP port of the VNFCs' management.
        management_cp, worker_cp: names (or last parts of names) of the connection points that carry a VNFC's
            management, and at which a worker takes packets from the traffic decider.
        vnflcm_version: value of the Version header in requests to the VNFM.
        request_timeout_s: limit of one management request; `transfer_timeout_s` of one that carries session state.
        ready_timeout_s: how long a VNFC may take until it is ready.
        health_interval_s, health_limit_s: how often VNFCs are asked while a step is watched, and how long one may
            stay silent.
        decision_timeout_s: how long the administrator may take; the step is aborted then.
        drain_limit_s: longest wait for sessions to end where the policy says to wait for them.
        settle_s: pause between holding the users of a worker and exporting its sessions, for packets on their way.
        short_answer_s: how long a request may stay open for a coordination that ends soon (answered 201).
    """

    peers: Peers
    southbound_netns: str | None = None
    management_port: int = Field(default=MANAGEMENT_PORT, ge=1, le=65535)
    management_cp: str = "mgmt"
    worker_cp: str = "internal"
    vnflcm_version: str = "2.0.0"
    request_timeout_s: float = Field(default=2.0, gt=0)
    transfer_timeout_s: float = Field(default=15.0, gt=0)
    ready_timeout_s: float = Field(default=20.0, gt=0)
    health_interval_s: float = Field(default=0.2, gt=0)
    health_limit_s: float = Field(default=1.0, gt=0)
    decision_timeout_s: float = Field(default=600.0, gt=0)
    drain_limit_s: float = Field(default=120.0, gt=0)
    settle_s: float = Field(default=0.005, ge=0)
    short_answer_s: float = Field(default=2.0, ge=0)
