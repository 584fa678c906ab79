#pragma once
// Requests and answers as JSON objects, one a line, over TCP.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/event_loop.hpp"
#include "runtime/unique_fd.hpp"

namespace nfvcert::runtime {

/// Thrown by commands to refuse a request; what() goes to the client.
struct RequestError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class ManagementServer {
public:
    using Json = nlohmann::json;
    /// Gets the request, returns the members of the answer (without "ok").
    using Command = std::function<Json(const Json& request)>;

    /// Listens on all addresses; throws std::system_error when the port is taken.
    ManagementServer(EventLoop& loop, std::uint16_t port);

    /// `name` is the value of "command" in requests; further members of the request are its parameters.
    void add(const std::string& name, Command command) { commands_[name] = std::move(command); }

    /// The answer to one line; never throws.
    [[nodiscard]] std::string answer(const std::string& line) const;

private:
    struct Connection {
        UniqueFd socket;
        std::string in;
        std::string out;
    };

    void accept();
    void serve(int fd, std::uint32_t events);
    bool read(Connection& connection);
    bool write(Connection& connection);

    EventLoop& loop_;
    UniqueFd listener_;
    std::map<std::string, Command> commands_;
    std::map<int, Connection> connections_;
};

}  // namespace nfvcert::runtime
