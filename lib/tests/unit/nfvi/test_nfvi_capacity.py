from nfvcert.nfvi.capacity import Demand, HostSpec, free


def test_an_empty_host_is_all_free() -> None:
    left = free(HostSpec("host1", vcpus=4, ram_mb=512), [])
    assert (left.vcpus, left.ram_mb) == (4, 512)


def test_what_is_placed_is_taken_and_the_rest_decides() -> None:
    left = free(HostSpec("host1", vcpus=4, ram_mb=512), [Demand(1.5, 128), Demand(2, 64)])
    assert (left.vcpus, left.ram_mb) == (0.5, 320)
    assert left.fits(Demand(0.5, 320))
    assert not left.fits(Demand(1, 64))
    assert not left.fits(Demand(0.1, 321))
