// The neighbours of a run: finding the gateway and following it, and answering for users and servers.

#include <algorithm>

#include "generator/session.hpp"
#include "packet/arp.hpp"
#include "packet/ethernet.hpp"

namespace nfvcert::generator {

namespace {

constexpr std::uint64_t resolve_every_ns = 100'000'000;

}  // namespace

void Session::ask_gateway() {
    const auto question = packet::arp_request(access_.mac(), profile_.user_base, gateway_);
    auto frame = access_.compose(question.size());
    std::copy(question.begin(), question.end(), frame.begin());
    access_.flush();
}

bool Session::learn_gateway(packet::ConstBytes frame) {
    if (packet::load16(frame, 12) != packet::ethertype_arp) {
        return false;
    }
    const auto arp = packet::parse_arp(frame.subspan(packet::ethernet_header_length));
    if (!arp || arp->sender_ip != gateway_ || arp->sender_mac.is_group()) {
        return false;
    }
    if (gateway_mac_ && *gateway_mac_ != arp->sender_mac) {
        tell_({{"event", "gateway"}, {"mac", arp->sender_mac.text()}, {"t", monotonic_ns()}});
    }
    gateway_mac_ = arp->sender_mac;
    return arp->operation == packet::ArpOperation::reply;
}

void Session::resolve(std::uint64_t now) {
    if (gateway_mac_) {
        state_ = State::ready;
        tell_({{"event", "ready"}, {"gateway_mac", gateway_mac_->text()}});
    } else if (now >= resolve_until_) {
        state_ = State::idle;
        tell_({{"event", "error"},
               {"message", "nobody answered ARP for the gateway " + gateway_.text() + " within " +
                               nlohmann::json(resolve_timeout_s_).dump() + " s"}});
    } else if (now >= resolve_next_) {
        ask_gateway();
        resolve_next_ = now + resolve_every_ns;
    }
}

bool Session::answer_arp(Leg& leg, packet::ConstBytes frame, const std::function<bool(packet::Ipv4Address)>& owns) {
    if (frame.size() <= packet::ethernet_header_length || packet::load16(frame, 12) != packet::ethertype_arp) {
        return false;
    }
    const auto arp = packet::parse_arp(frame.subspan(packet::ethernet_header_length));
    if (!arp || arp->operation != packet::ArpOperation::request || arp->sender_ip == arp->target_ip || !owns(arp->target_ip)) {
        return false;
    }
    const auto reply = packet::arp_reply(*arp, leg.mac());
    auto out = leg.compose(reply.size());
    std::copy(reply.begin(), reply.end(), out.begin());
    return true;
}

}  // namespace nfvcert::generator
