"""Reference NFVO: VNF packages, NS descriptors, NS life cycle (SOL005), packages and grants for VNFMs (SOL003)."""
