// nfvcert-packet-engine --config FILE: see engine.hpp for its orders and its part of the configuration.

#include <memory>

#include "generator/engine/engine.hpp"

int main(int argc, char** argv) {
    return nfvcert::dpdk::polling_main("nfvcert-packet-engine", argc, argv, [](nfvcert::dpdk::Program& program) {
        // the engine ends after the last round and before the ports
        program.at_end([engine = std::make_shared<nfvcert::engine::Engine>(program)]() mutable { engine.reset(); });
    });
}
