#pragma once
// Decides which worker serves which user of a load-sharing function. Pure: no clock, no sockets, no random numbers.
//
// A user is a source address. Known users stay with their worker; a user idle for longer than the idle time is forgotten
// and comes back as a new service request. New requests go to a group by its share (error diffusion), within the group to
// the worker with the fewest users. Packets of users on a held worker wait in order; a move gives the users to another
// worker and lets the packets go there. The worker a move took the users from is vacated: it gets new users only when
// there is no other, until it is unheld or the target of a move.
//
// The virtual functions are the decisions; subclasses may take them otherwise.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "functions/share_accumulator.hpp"
#include "packet/address.hpp"
#include "packet/ipv4.hpp"

namespace nfvcert::functions {

struct FlowIdentity {
    packet::Ipv4Address source;
    packet::Ipv4Address destination;
    std::uint8_t protocol = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
};

/// Reads the identity from a packet whose header was parsed; ports are 0 where there are none.
FlowIdentity flow_identity(packet::ConstBytes packet, const packet::Ipv4Header& header);

struct PoolMember {
    std::string id;
    packet::MacAddress mac;
    std::string group;
};

/// What packets with one value of it share: the worker. Two words so that a whole flow fits.
struct AffinityKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const AffinityKey&) const = default;
};

struct DeciderLimits {
    std::uint64_t user_idle_ns = 2'000'000'000;
    std::size_t held_packets = 65'536;             // per held worker
    std::size_t held_octets = 32U * 1024U * 1024U;  // per held worker
};

class TrafficDecider {
public:
    explicit TrafficDecider(DeciderLimits limits) : limits_{limits} {}
    virtual ~TrafficDecider() = default;
    TrafficDecider(const TrafficDecider&) = delete;
    TrafficDecider& operator=(const TrafficDecider&) = delete;

    struct Worker {
        PoolMember member;
        bool present = true;  // in the pool; a removed worker is remembered until its last user is gone
        bool held = false;
        bool vacated = false;
        std::size_t users = 0;
        std::uint64_t new_users = 0;
        std::uint64_t packets = 0;
        std::shared_ptr<struct HeldPackets> held_packets;
    };

    /// Replaces the pool. Users of workers that are no longer in it become new service requests.
    void set_pool(const std::vector<PoolMember>& pool, std::uint64_t now_ns);
    void set_shares(const ShareAccumulator::Shares& shares) { shares_.set(shares); }
    [[nodiscard]] const ShareAccumulator::Shares& shares() const { return shares_.shares(); }

    enum class Action { forward, queued, drop };
    struct Decision {
        Action action = Action::drop;
        packet::MacAddress mac;  // of the worker, when forwarding
    };
    /// Decides for one frame of a client; a frame that has to wait is copied.
    Decision handle(const FlowIdentity& flow, packet::ConstBytes frame, std::uint64_t now_ns);
    /// Traffic towards a user keeps the user known.
    void touch(packet::Ipv4Address user, std::uint64_t now_ns);
    void expire(std::uint64_t now_ns);

    /// False when no such worker is known.
    bool hold(const std::string& id);
    bool unhold(const std::string& id);
    /// Gives the users of `from` to `to`, vacates `from` and puts `to` into service, whatever it was; nullopt when either
    /// is not known, else the number of users.
    std::optional<std::size_t> move(const std::string& from, const std::string& to);

    using Sink = std::function<void(packet::Bytes frame, const packet::MacAddress& worker)>;
    /// Passes on up to `limit` waiting packets that may go; returns their number.
    std::size_t release(std::size_t limit, std::uint64_t now_ns, const Sink& sink);
    /// Whether release() would pass on a packet now.
    [[nodiscard]] bool releasable() const;

    [[nodiscard]] const std::list<Worker>& workers() const { return workers_; }
    [[nodiscard]] std::size_t users() const { return users_.size(); }
    [[nodiscard]] std::uint64_t no_worker_drops() const { return no_worker_drops_; }
    [[nodiscard]] std::uint64_t hold_drops() const { return hold_drops_; }
    [[nodiscard]] std::size_t waiting() const;

protected:
    /// What binds packets together: the source address.
    [[nodiscard]] virtual AffinityKey affinity_key(const FlowIdentity& flow) const;
    /// Worker of a packet whose user has one; the default keeps it.
    [[nodiscard]] virtual Worker* worker_of_known_user(Worker* current, const FlowIdentity& flow);
    /// Worker of a new service request; nullptr when there is none.
    [[nodiscard]] virtual Worker* choose_worker(const FlowIdentity& flow);
    /// Whether a packet may pass at all; the default admits every packet.
    [[nodiscard]] virtual bool admits(const FlowIdentity& flow, std::uint64_t now_ns);
    /// Called after workers left the pool.
    virtual void on_workers_removed(std::uint64_t now_ns);

    /// Forgets every user that has no packets waiting.
    void forget_users();
    /// Workers in the pool, in its order.
    [[nodiscard]] std::vector<Worker*> present_workers();

private:
    struct KeyHash {
        std::size_t operator()(const AffinityKey& key) const noexcept {
            return packet::mix64(packet::mix64(key.high) ^ key.low);
        }
    };
    struct User {
        Worker* worker = nullptr;
        std::uint64_t last_seen_ns = 0;
        std::shared_ptr<HeldPackets> waiting_in;  // packets of the user are, or were, queued here
    };
    using Users = std::unordered_map<AffinityKey, User, KeyHash>;

    Worker* find(const std::string& id);
    Worker* least_loaded(const std::string* group);
    void assign(User& user, Worker& worker);
    bool seat(User& user, const FlowIdentity& flow);
    void forget(Users::iterator user);
    [[nodiscard]] bool is_idle(const User& user, std::uint64_t now_ns) const;
    Decision queue(HeldPackets& held, const AffinityKey& key, const FlowIdentity& flow, packet::ConstBytes frame);
    void drop_unused_workers();

    DeciderLimits limits_;
    ShareAccumulator shares_;
    std::list<Worker> workers_;  // stable addresses, in pool order
    Users users_;
    std::list<std::shared_ptr<HeldPackets>> held_;
    std::uint64_t no_worker_drops_ = 0;
    std::uint64_t hold_drops_ = 0;
};

/// Packets that wait in order, of any number of users.
struct HeldPackets {
    struct Item {
        AffinityKey user;
        FlowIdentity flow;
        std::vector<std::uint8_t> frame;
    };
    std::deque<Item> items;
    std::size_t octets = 0;
    bool drained = false;  // nobody queues here any more
};

}  // namespace nfvcert::functions
