"""What a VNFC tolerates while its infrastructure is changed (SOL001 NfviMaintenanceInfo)."""

from __future__ import annotations

from nfvcert.drop.properties import Properties
from nfvcert.drop.vnfd import NfviMaintenance

MIGRATIONS = ("no_migration", "offline_migration", "live_migration")


def read_maintenance(info: Properties) -> NfviMaintenance:
    """The constraints of one VDU; of rules for several group sizes the first one."""

    def optional(key: str) -> float | None:
        return info.seconds(key, 0.0) if key in info.names() else None

    def number(key: str) -> int | None:
        values = [group.integer(key) for group in info.elements(key)]
        return values[0] if values else None

    migrations = info.texts("supported_migration_type")
    for migration in migrations:
        if migration not in MIGRATIONS:
            info.fault("vnfd.type", "unknown migration type", migration, ", ".join(MIGRATIONS))
    return NfviMaintenance(
        impact_notification_lead_time_s=info.seconds("impact_notification_lead_time"),
        impact_mitigation_requested=info.truth("is_impact_mitigation_requested", False),
        supported_migration_types=tuple(migrations),
        max_undetectable_interruption_time_s=optional("max_undetectable_interruption_time"),
        min_recovery_time_between_impacts_s=optional("min_recovery_time_between_impacts"),
        max_number_of_impacted_instances=number("max_number_of_impacted_instances"),
        min_number_of_preserved_instances=number("min_number_of_preserved_instances"),
    )
