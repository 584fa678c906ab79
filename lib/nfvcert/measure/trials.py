"""When a trial counts: an invalid trial is neither lossy nor lossless, it says nothing.

Rules after RFC 2544 practice and ETSI GS NFV-TST 009: what was sent is compared with what was intended, how long it
took with how long it should have taken, and losses of the tester itself are not losses of the device.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trial:
    """What a traffic generator reports of one trial; counts in packets, times in seconds."""

    intended: int
    sent: int
    intended_duration: float
    duration: float
    send_errors: int = 0
    receiver_drops: int = 0


def defects_of(trial: Trial, *, sent_tolerance: float = 0.005, duration_tolerance: float = 0.05) -> list[str]:
    """Why the trial is invalid, one sentence each; empty when it is valid.

    Args:
        sent_tolerance: largest accepted |sent - intended| / intended.
        duration_tolerance: largest accepted relative difference of the durations.
    """
    reasons = []
    if trial.intended <= 0 or trial.sent <= 0:
        return ["nothing was sent"]
    if abs(trial.sent - trial.intended) > sent_tolerance * trial.intended:
        reasons.append(f"sent {trial.sent} packets where {trial.intended} were intended")
    if abs(trial.duration - trial.intended_duration) > duration_tolerance * trial.intended_duration:
        reasons.append(f"took {trial.duration:.2f} s where {trial.intended_duration:.2f} s were intended")
    if trial.send_errors:
        reasons.append(f"{trial.send_errors} packets could not be sent")
    if trial.receiver_drops:
        reasons.append(f"the receiver itself dropped {trial.receiver_drops} packets")
    return reasons
