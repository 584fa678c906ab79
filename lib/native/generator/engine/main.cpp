// nfvcert-packet-engine --config FILE: see engine.hpp for its orders and its part of the configuration.

#include <memory>

#include "generator/engine/engine.hpp"

namespace {

/// The engine ends after the last round and before the ports.
template <class Program>
void run_with(Program& program, std::shared_ptr<nfvcert::engine::Engine> engine) {
    if constexpr (requires { program.at_end([] {}); }) {
        program.at_end([engine = std::move(engine)]() mutable { engine.reset(); });
    } else {
        program.loop().add([engine = std::move(engine)](std::uint64_t) { return 0U; });
    }
}

}  // namespace

int main(int argc, char** argv) {
    return nfvcert::dpdk::polling_main("nfvcert-packet-engine", argc, argv, [](nfvcert::dpdk::Program& program) {
        run_with(program, std::make_shared<nfvcert::engine::Engine>(program));
    });
}
