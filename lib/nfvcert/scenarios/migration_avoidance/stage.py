"""What every procedure of dynamic scaling starts from: recording, testbed, profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nfvcert.scenarios.migration_avoidance.experiment import Experiment
from nfvcert.scenarios.migration_avoidance.load import load_of
from nfvcert.scenarios.profile import ScalingProfile
from nfvcert.scenarios.recording import Recording
from nfvcert.testbed.attachment import DataplaneAccess


@dataclass(frozen=True)
class Stage:
    """Builds the experiment of one scenario."""

    recording: Recording
    access: DataplaneAccess
    profile: ScalingProfile

    @property
    def trigger_s(self) -> float:
        """When the overload is reported, seconds after the traffic began."""
        return self.profile.trigger_s

    def entries(self, of_full: int) -> int:
        """A number of table entries of the full workload at the profile's scale, at least one."""
        return max(1, round(of_full * self.profile.load))

    def experiment(
        self,
        method: str,
        *,
        least_s: float = 0.0,
        most_load: float = 1.0,
        servers: int | None = None,
        setup: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
        **load: Any,
    ) -> Experiment:
        """An experiment with the profile's load.

        Args:
            method: of the controller.
            least_s: traffic goes on for that long at least, whatever the profile says.
            most_load: share of the full load that the devices carry; the profile may offer less.
            load: further arguments of :func:`load_of`.
        """
        offered = load_of(
            self.access.settings,
            identity=str(dict(setup or {}).get("identity") or self.access.settings.identity),
            scale=min(self.profile.load, most_load),
            duration_s=max(self.profile.duration_s, least_s),
            trigger_s=self.profile.trigger_s,
            **load,
        )
        return Experiment(
            self.recording, self.access, offered, method=method, servers=servers, setup=setup, about=about
        )
