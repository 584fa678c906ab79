// nfvcert-vnf: one of the six network functions on a polling port.

#include "vnf/host.hpp"

int main(int argc, char** argv) {
    return nfvcert::vnf::run_vnf(argc, argv, std::make_unique<nfvcert::vnf::Policy>());
}
