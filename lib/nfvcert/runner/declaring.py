"""What drop, testbed and profile declare, put together for the checkers."""

from __future__ import annotations

import difflib
from typing import Any

from nfvcert.catalogue import Catalogue
from nfvcert.checkers import Declared, Version
from nfvcert.drop.package import Package
from nfvcert.drop.read import Drop
from nfvcert.errors import DropError
from nfvcert.scenarios.profile import RunProfile
from nfvcert.testbed.model import Testbed


def declare(drop: Drop, testbed: Testbed, profile: RunProfile, catalogue: Catalogue) -> Declared:
    """Everything that judgements may rely on besides the histories.

    Raises:
        DropError: the drop declares a policy parameter that there is not.
    """
    known = catalogue.rules.policy_parameters
    for name in drop.policy_parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise DropError(
                f"the drop declares an unknown policy parameter '{name}'",
                where=str(drop.path),
                hint=f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(known)}",
            )
    parameters: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, parameter in catalogue.rules.policy_parameters.items():
        declared = name in drop.policy_parameters
        parameters[name] = drop.policy_parameters[name] if declared else parameter["default"]
        sources[name] = "declared by the drop" if declared else "default"
    metadata = drop.candidate.metadata
    return Declared(
        in_service=_version(drop.in_service),
        candidate=_version(drop.candidate),
        modification=metadata.model_dump(mode="json") if metadata else {},
        parameters=parameters,
        parameter_sources=sources,
        features=list(testbed.features),
        drop_features=list(drop.features),
        profile=profile.name,
        weaker_bounds=profile.weaker_bounds,
    )


def _version(package: Package) -> Version:
    vnfd = package.vnfd
    images = {image.name: sorted(image.executables().values()) for image in package.images}
    return Version(
        vnfd_id=vnfd.vnfd_id,
        software_version=vnfd.software_version,
        descriptor_version=vnfd.descriptor_version,
        provider=vnfd.provider,
        product=vnfd.product_name,
        executables={vdu.name: images.get(vdu.image, []) for vdu in vnfd.vdus},
        instances={vdu.name: vdu.initial_instances for vdu in vnfd.vdus},
    )
