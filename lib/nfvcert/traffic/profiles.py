"""Traffic profiles: what load is offered, as data."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nfvcert.documents import read_named
from nfvcert.traffic.native import REPOSITORY

FOLDER = REPOSITORY / "fixtures" / "traffic"
ADDRESS_REST_S = 10.0
"""An address rests that long before another user gets it."""
LONGEST_STAY = 6.0
"""Hardly any user stays longer than this many times the mean life of all its flows."""


class TrafficProfile(BaseModel):
    """UDP flows of users that come and go; rates in packets per second, times in seconds, lengths in octets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    pps: float = Field(gt=0, le=2_000_000)
    concurrent_flows: float = Field(gt=0, description="flows alive on average")
    flows_per_user: int = Field(default=4, ge=1)
    mean_flow_lifetime_s: float = Field(default=2.0, gt=0, description="of an exponential distribution")
    user_base: IPv4Address = Field(default=IPv4Address("198.18.16.0"), description="address of the first user")
    user_count: int = Field(default=40_000, ge=1, description="addresses from user_base on")
    dst_port: int = Field(default=5000, ge=1, le=65535)
    frame_bytes: int = Field(default=128, ge=67, le=1514)
    return_every: int = Field(default=10, ge=0, description="every n-th packet of a flow is sent back; 0: none")
    long_lived_flows: int = Field(default=0, ge=0)
    seed: int = 1

    @property
    def users_per_second(self) -> float:
        """New users (service requests) in the steady state."""
        short_lived = self.concurrent_flows - self.long_lived_flows
        return short_lived / (self.mean_flow_lifetime_s * self.flows_per_user)

    @model_validator(mode="after")
    def _users_have_addresses(self) -> Self:
        if self.long_lived_flows > self.concurrent_flows:
            raise ValueError("long_lived_flows is more than concurrent_flows")
        stay_s = LONGEST_STAY * self.mean_flow_lifetime_s * self.flows_per_user
        needed = int(self.users_per_second * (stay_s + ADDRESS_REST_S)) + self.long_lived_flows + 1
        if self.user_count < needed:
            raise ValueError(f"user_count must be at least {needed}, or addresses come back before they have rested")
        if int(self.user_base) + self.user_count > 1 << 32:
            raise ValueError("user_base is too high for so many users")
        return self


def read_traffic_profile(name: str) -> TrafficProfile:
    """A traffic profile that ships with nfvcert by its name, or one from a file.

    Raises:
        UsageError: there is none, or it is not well formed.
    """
    return read_named(name, FOLDER, TrafficProfile, what="traffic profile")
