"""The NFVO as an application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from nfvcert.drop.trust import Trust
from nfvcert.reference.common.app import create_app
from nfvcert.reference.common.headers import Api
from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.store import Store
from nfvcert.reference.common.subscriptions import Subscriptions
from nfvcert.reference.nfvo.api import callback, descriptors, grants, operations, packages, services
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.config import NfvoConfig
from nfvcert.reference.nfvo.descriptors import Descriptors
from nfvcert.reference.nfvo.engine import Engine
from nfvcert.reference.nfvo.following import CALLBACK, Following
from nfvcert.reference.nfvo.grants import Grants
from nfvcert.reference.nfvo.mirror import Mirror
from nfvcert.reference.nfvo.onboarding import Onboarding
from nfvcert.reference.nfvo.operations import Operations
from nfvcert.reference.nfvo.package_notices import PackageNotices
from nfvcert.reference.nfvo.packages import Packages
from nfvcert.reference.nfvo.planning import Planning
from nfvcert.reference.nfvo.service_notices import ServiceNotices
from nfvcert.reference.nfvo.services import Services
from nfvcert.reference.nfvo.tasks import Tasks
from nfvcert.reference.nfvo.vnfm import VnfmClient
from nfvcert.sol import grant as grant_api
from nfvcert.sol import nsd as nsd_api
from nfvcert.sol import nslcm as nslcm_api
from nfvcert.sol import vnfpkgm as vnfpkgm_api
from nfvcert.sol.nslcm import NsSubscriptionRequest
from nfvcert.sol.vnfpkgm import PkgmSubscriptionRequest

APIS = tuple(
    Api(module.API_NAME, module.API_MAJOR, (module.API_VERSION,))
    for module in (vnfpkgm_api, nsd_api, nslcm_api, grant_api)
)


def build_app(config: NfvoConfig, behaviour: NfvoBehaviour) -> FastAPI:
    """The application."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    trust = _trust(config)
    store = Store(config.database)
    notifier = Notifier(store, nslcm_api.API_VERSION)
    url, page_size = config.url, config.page_size
    package_subscriptions = _subscriptions(store, notifier, vnfpkgm_api.API_PATH, config)
    service_subscriptions = _subscriptions(store, notifier, nslcm_api.API_PATH, config)
    package_notices = PackageNotices(package_subscriptions, notifier, url)
    service_notices = ServiceNotices(service_subscriptions, notifier, url)

    stored = Packages(store, package_notices, config.packages_dir, url)
    onboarding = Onboarding(stored, behaviour, trust, config.largest_package)
    mirror = Mirror(store, stored, behaviour)
    nsds = Descriptors(store, stored, url)
    known = Services(store, nsds, mirror, service_notices, url)
    begun = Operations(store, known, service_notices, url)
    vnfm = VnfmClient(config.peers.vnfm)
    engine = Engine(
        store=store,
        operations=begun,
        services=known,
        packages=stored,
        mirror=mirror,
        vnfm=vnfm,
        notifier=notifier,
        behaviour=behaviour,
        start_wait_s=config.start_wait_s,
    )
    following = Following(
        store=store, mirror=mirror, engine=engine, vnfm=vnfm, callback=url + CALLBACK, poll_s=config.poll_s
    )
    tasks = Tasks(engine)
    planning = Planning(
        engine=engine,
        services=known,
        descriptors=nsds,
        packages=stored,
        behaviour=behaviour,
        networks=config.networks,
        tasks=tasks,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        onboarding.resume()
        await notifier.start()
        following.start()
        engine.resume()
        yield
        await following.stop()
        await engine.stop()
        await notifier.stop()
        await vnfm.close()
        store.close()

    app = create_app("nfvo", APIS, lifespan=lifespan)
    app.include_router(packages.router(stored, onboarding, page_size))
    app.include_router(package_subscriptions.router(PkgmSubscriptionRequest))
    app.include_router(descriptors.router(nsds, url, page_size))
    app.include_router(services.router(known, begun, planning, url, page_size))
    app.include_router(operations.router(begun, tasks, url, page_size))
    app.include_router(service_subscriptions.router(NsSubscriptionRequest))
    app.include_router(grants.router(Grants(store, stored, mirror, behaviour, config)))
    app.include_router(callback.router(following))
    return app


def _trust(config: NfvoConfig) -> Trust | None:
    if not (config.require_signature or config.trusted_certificates):
        return None
    return Trust.of(config.trusted_certificates, required=config.require_signature)


def _subscriptions(store: Store, notifier: Notifier, api_path: str, config: NfvoConfig) -> Subscriptions:
    kind = f"{api_path.split('/')[1]}-subscription"
    path = f"{api_path}/subscriptions"
    return Subscriptions(store, notifier, kind=kind, path=path, base_url=config.url, page_size=config.page_size)
