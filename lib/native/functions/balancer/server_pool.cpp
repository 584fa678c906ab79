#include "functions/balancer/server_pool.hpp"

#include <algorithm>

namespace nfvcert::nf {
namespace {

constexpr unsigned ageing_bits = 3;
constexpr std::uint64_t most_steps = 256;  // then next to nothing is left

}  // namespace

ServerPool::ServerPool(std::uint64_t ageing_ns, std::uint64_t new_flow_bytes)
    : ageing_ns_{ageing_ns}, new_flow_bytes_{new_flow_bytes} {}

std::optional<ServerPool::Number> ServerPool::find(std::uint32_t address) const {
    const auto found = std::ranges::lower_bound(by_address_, address, {}, &std::pair<std::uint32_t, Number>::first);
    return found != by_address_.end() && found->first == address ? std::optional{found->second} : std::nullopt;
}

bool ServerPool::replace(const std::vector<ServerConfig>& given) {
    auto servers = servers_;
    for (auto& server : servers) {
        server.listed = false;
    }
    for (const auto& config : given) {
        auto place = std::ranges::find_if(servers, [&](const Server& one) { return one.config.address == config.address; });
        if (place == servers.end()) {
            place = std::ranges::find_if(servers, [](const Server& one) { return !one.listed && one.flows == 0; });
            if (place == servers.end()) {
                if (servers.size() == most) {
                    return false;
                }
                place = servers.emplace(servers.end());
            }
            *place = Server{};
        }
        place->config = config;
        place->listed = true;
    }
    servers_ = std::move(servers);
    eligible_.clear();
    by_address_.clear();
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        const auto& server = servers_[i];
        if (server.listed && !server.config.draining) {
            eligible_.push_back(static_cast<Number>(i));
        }
        if (server.listed || server.flows > 0) {
            by_address_.emplace_back(server.config.address, static_cast<Number>(i));
        }
    }
    std::ranges::sort(by_address_);
    return true;
}

bool ServerPool::less_loaded(Number a, Number b) const {
    __extension__ using Wide = unsigned __int128;
    const auto& one = servers_[a];
    const auto& other = servers_[b];
    const auto load = static_cast<Wide>(one.load) * other.config.weight;
    const auto other_load = static_cast<Wide>(other.load) * one.config.weight;
    return load != other_load ? load < other_load : one.flows * other.config.weight <= other.flows * one.config.weight;
}

std::optional<ServerPool::Number> ServerPool::choose(std::uint64_t random) {
    const auto count = eligible_.size();
    if (count == 0) {
        return std::nullopt;
    }
    const auto first = static_cast<std::size_t>(random & 0xffffffff) % count;
    if (count == 1) {
        return eligible_[first];
    }
    const auto step = 1 + static_cast<std::size_t>(random >> 32) % (count - 1);
    const auto a = eligible_[first];
    const auto b = eligible_[(first + step) % count];
    return less_loaded(a, b) ? a : b;
}

void ServerPool::add_flow(Number number, bool is_new) {
    auto& server = servers_[number];
    ++server.flows;
    if (is_new) {
        ++server.assigned;
        server.load += new_flow_bytes_;
    }
}

void ServerPool::age(std::uint64_t now_ns) {
    if (aged_ns_ == 0) {
        aged_ns_ = now_ns;
    }
    if (now_ns < aged_ns_ + ageing_ns_) {
        return;
    }
    const auto steps = (now_ns - aged_ns_) / ageing_ns_;
    aged_ns_ += steps * ageing_ns_;
    for (auto& server : servers_) {
        if (steps >= most_steps) {
            server.load = 0;
        }
        for (std::uint64_t i = 0; i < std::min(steps, most_steps) && server.load > 0; ++i) {
            server.load -= (server.load >> ageing_bits) + 1;
        }
    }
}

}  // namespace nfvcert::nf
