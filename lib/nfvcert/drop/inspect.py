"""Everything wrong with a drop or with one package, not only the first thing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nfvcert.drop.archive import Archive
from nfvcert.drop.declaration import CLAUSE, FILE, Declaration, parse_declaration
from nfvcert.drop.findings import Finding, fault, finding_of
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.metadata_check import check_metadata, check_own_metadata
from nfvcert.drop.package import Package
from nfvcert.drop.package_check import check_package
from nfvcert.drop.read import locate, member
from nfvcert.drop.trust import Trust
from nfvcert.errors import DropError


def inspect(
    path: Path, *, trust: Trust | None = None, architecture: str | None = None, limits: Limits = DEFAULT
) -> list[Finding]:
    """Everything wrong with a drop (folder, ``drop.yaml`` or ZIP archive) or with a single package (``.csar``).

    Places are ``package!member:line``. ``trust`` is the operator's; without one the certificates that the drop names
    are trusted, and of a single package signatures are checked but signers not judged.
    """
    try:
        if _is_package(path, limits):
            return inspect_package(path, trust=trust, architecture=architecture, limits=limits)
        folder, keep = locate(path, limits)
    except DropError as error:
        return [finding_of(error)]
    findings = _inspect_folder(folder, trust, architecture, limits)
    del keep
    return findings


def inspect_package(
    path: Path, *, trust: Trust | None = None, architecture: str | None = None, limits: Limits = DEFAULT
) -> list[Finding]:
    """Everything wrong with one package."""
    try:
        package = Package(Archive(path, limits=limits), path)
    except DropError as error:
        return [finding_of(error)]
    findings = [*check_package(package, trust, architecture), *check_own_metadata(package)]
    return _placed(list(dict.fromkeys(findings)), package)


def _inspect_folder(folder: Path, trust: Trust | None, architecture: str | None, limits: Limits) -> list[Finding]:
    try:
        with (folder / FILE).open("rb") as file:
            data = file.read(limits.document + 1)
    except OSError as error:
        return [fault("drop.unreadable", CLAUSE, FILE, "the drop cannot be read", error.strerror or error)]
    declaration, findings = parse_declaration(data, FILE, Declaration, limits)
    if declaration is None:
        return findings
    assert isinstance(declaration, Declaration)
    if trust is None and declaration.trusted:
        try:
            trust = Trust.of(member(folder, name) for name in declaration.trusted)
        except DropError as error:
            findings.append(finding_of(error))
    packages: list[Package] = []
    for name in (declaration.in_service, declaration.candidate):
        try:
            package = Package(Archive(member(folder, name), limits=limits), folder / name)
        except DropError as error:
            findings.append(finding_of(error))
            continue
        packages.append(package)
        findings += _placed([*check_package(package, trust, architecture), *check_own_metadata(package)], package)
    if len(packages) == 2:
        old, new = packages
        findings += _placed(check_metadata(new, old), new)
        findings += _check_declaration(declaration, old, new)
    return list(dict.fromkeys(findings))


def _check_declaration(declaration: Declaration, old: Package, new: Package) -> list[Finding]:
    """What the drop declares has to fit its packages."""
    try:
        vnfds = (old.vnfd, new.vnfd)
    except DropError:
        return []
    findings: list[Finding] = []
    if vnfds[0].vnfd_id == vnfds[1].vnfd_id:
        findings.append(fault("drop.same_vnfd", CLAUSE, FILE, "both packages have the same vnfdId", vnfds[0].vnfd_id))
    for vnfd in vnfds:
        if vnfd.product_name != declaration.product:
            message = "product differs from the VNFD's product_name"
            findings.append(fault("drop.product", CLAUSE, FILE, message, declaration.product, vnfd.product_name))
        traffic = declaration.traffic
        if traffic is None:
            continue
        networks = {link.name for link in vnfd.virtual_links if link.external}
        for key in ("client_network", "server_network"):
            name = getattr(traffic, key)
            if name not in networks:
                known = ", ".join(sorted(networks))
                findings.append(
                    fault("drop.traffic", CLAUSE, FILE, f"traffic.{key} is no external network", name, known)
                )
        gateway = traffic.gateway
        vdu = next((vdu for vdu in vnfd.vdus if vdu.name == gateway.vdu), None)
        if vdu is None or vdu.port(gateway.network) is None:
            found = f"{gateway.vdu}/{gateway.network}"
            findings.append(fault("drop.traffic", CLAUSE, FILE, "traffic.gateway is no connection point", found))
    return findings


def _placed(findings: list[Finding], package: Package) -> list[Finding]:
    """Findings with the package before the member."""
    name = package.name
    return [
        f if f.where.startswith(name) else replace(f, where=f"{name}!{f.where}" if f.where else name) for f in findings
    ]


def _is_package(path: Path, limits: Limits) -> bool:
    if not path.is_file() or path.name.endswith((".yaml", ".yml")):
        return False
    return FILE not in Archive(path, limits=limits)
