"""Hardware switches as the controller drives them: this project's model, and Open vSwitch."""

from nfvcert.dataplane.switch.protocol import Switch, SwitchRefused

__all__ = ["Switch", "SwitchRefused"]
