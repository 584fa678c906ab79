"""Vendor drops: SOL004 packages with SOL001 descriptors, OCI images and signatures, read as hostile input.

A drop is the package of the version in service, the package of the version to certify, and what the vendor declares
about the change. :func:`nfvcert.drop.read.read_drop` reads one, :func:`nfvcert.drop.inspect.inspect` says everything
wrong with one, :func:`nfvcert.drop.build.build_drop` builds a sample drop from its sources, and
:mod:`nfvcert.drop.derive` makes broken or changed variants of a package.
"""
