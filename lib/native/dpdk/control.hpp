#pragma once
// Orders to a polling process: JSON objects, one a line, over a Unix stream socket; served by a thread of its own.
//
// {"op": NAME, "id": anything, ...} is answered by {"ok": true, "id": ..., ...} or {"ok": false, "error": text, "code": word}.
// A connection that sends {"op": "subscribe"} also gets {"event": NAME, ...} as events happen.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/unique_fd.hpp"

namespace nfvcert::dpdk {

/// An order that is not carried out; `code` is a word for programs, `details` are added to the answer.
struct Refusal : std::runtime_error {
    Refusal(std::string code_, const std::string& text, nlohmann::json details_ = nlohmann::json::object())
        : std::runtime_error{text}, code{std::move(code_)}, details(std::move(details_)) {}
    std::string code;
    nlohmann::json details;
};

class Control {
public:
    using Handler = std::function<nlohmann::json(const nlohmann::json&)>;

    /// Listens at `path`; what a killed predecessor left there is replaced. Throws std::runtime_error.
    explicit Control(std::string path);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    /// To be called before start(). Orders are answered one after the other.
    void on(std::string op, Handler handler);
    /// An order that takes its time: it is carried out by a thread of its own, and those that come after it on any connection
    /// do not wait for its answer, which its "id" tells. At most `most_slow` at once, a further one is refused ("busy").
    /// stop() waits for it: the handler has to end when the loop does.
    void on_slow(std::string op, Handler handler);
    static constexpr unsigned most_slow = 8;
    void start();
    void stop();

    /// Tells an event to the connections that subscribed; from any thread, never waits for a reader.
    void publish(const nlohmann::json& event);

private:
    struct Order {
        Handler handler;
        bool slow = false;
    };
    struct Connection {
        std::uint64_t number;
        runtime::UniqueFd fd;
        std::string received;
        std::string to_send;
        bool subscribed = false;
    };

    void serve();
    void accept_one();
    bool receive(Connection& connection);
    bool flush(Connection& connection);
    void answer(Connection& connection, const std::string& line);
    void carry_out_aside(std::uint64_t connection, const Handler& handler, const nlohmann::json& order);
    void wake();
    void take_events();
    void take_late_answers();

    std::string path_;
    runtime::UniqueFd listener_;
    runtime::UniqueFd wake_;
    std::map<std::string, Order> orders_;
    std::vector<Connection> connections_;
    std::uint64_t connections_made_ = 0;
    std::mutex told_mutex_;                                             // of what other threads leave here
    std::vector<std::string> events_;
    std::vector<std::pair<std::uint64_t, std::string>> late_answers_;  // with the connection that gets it
    std::map<std::thread::id, std::thread> slow_;
    std::vector<std::thread::id> slow_over_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace nfvcert::dpdk
