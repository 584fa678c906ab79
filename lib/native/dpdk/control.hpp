#pragma once
// Orders to a polling process: JSON objects, one a line, over a Unix stream socket; served by a thread of its own.
//
// {"op": NAME, "id": anything, ...} is answered by {"ok": true, "id": ..., ...} or {"ok": false, "error": text, "code": word}.
// A connection that sends {"op": "subscribe"} also gets {"event": NAME, ...} as events happen.

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
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

    /// To be called before start().
    void on(std::string op, Handler handler);
    void start();
    void stop();

    /// Tells an event to the connections that subscribed; from any thread, never waits for a reader.
    void publish(const nlohmann::json& event);

private:
    struct Connection {
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
    void take_events();

    std::string path_;
    runtime::UniqueFd listener_;
    runtime::UniqueFd wake_;
    std::map<std::string, Handler> handlers_;
    std::vector<Connection> connections_;
    std::mutex events_mutex_;
    std::vector<std::string> events_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace nfvcert::dpdk
