#include "runtime/management_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace nfvcert::runtime {

namespace {

constexpr std::size_t longest_request = 64U * 1024U * 1024U;  // the state of some 300,000 sessions

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

UniqueFd listen_on(std::uint16_t port) {
    UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (!socket.valid() || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), 16) != 0) {
        fail("management port " + std::to_string(port));
    }
    return socket;
}

ManagementServer::Json refusal(const std::string& reason) { return {{"ok", false}, {"error", reason}}; }

}  // namespace

ManagementServer::ManagementServer(EventLoop& loop, std::uint16_t port) : loop_{loop}, listener_{listen_on(port)} {
    loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
}

std::string ManagementServer::answer(const std::string& line) const {
    Json result;
    try {
        const auto request = Json::parse(line);
        const auto name = request.is_object() ? request.find("command") : request.end();
        if (name == request.end() || !name->is_string()) {
            result = refusal("a request is an object with the string member 'command'");
        } else if (const auto found = commands_.find(name->get<std::string>()); found != commands_.end()) {
            result = found->second(request);
            result["ok"] = true;
        } else {
            std::string known;
            for (const auto& [command, unused] : commands_) {
                known += (known.empty() ? "" : ", ") + command;
            }
            result = refusal("unknown command " + name->dump() + ", known are " + known);
        }
    } catch (const Json::parse_error& error) {
        result = refusal(std::string{"not JSON: "} + error.what());
    } catch (const std::exception& error) {
        result = refusal(error.what());
    }
    return result.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void ManagementServer::accept() {
    while (true) {
        UniqueFd socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (!socket.valid()) {
            return;
        }
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const auto fd = socket.get();
        connections_[fd] = {std::move(socket), {}, {}};
        loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t events) { serve(fd, events); });
    }
}

void ManagementServer::serve(int fd, std::uint32_t events) {
    auto& connection = connections_.at(fd);
    const bool readable = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    bool open = !readable || read(connection);
    for (auto end = connection.in.find('\n'); open && end != std::string::npos; end = connection.in.find('\n')) {
        connection.out += answer(connection.in.substr(0, end));
        connection.in.erase(0, end + 1);
    }
    open = open && connection.in.size() <= longest_request && write(connection);
    if (!open) {
        loop_.forget(fd);
        connections_.erase(fd);
        return;
    }
    // A client that does not read its answers is not read from.
    loop_.change(fd, connection.out.empty() ? EPOLLIN : EPOLLOUT);
}

bool ManagementServer::read(Connection& connection) {
    std::array<char, 65536> buffer;
    while (true) {
        const auto count = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
        if (count > 0) {
            connection.in.append(buffer.data(), static_cast<std::size_t>(count));
            if (connection.in.size() > longest_request) {
                return false;
            }
        } else if (count < 0 && errno == EINTR) {
            continue;
        } else {
            return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        }
    }
}

bool ManagementServer::write(Connection& connection) {
    std::size_t done = 0;
    while (done < connection.out.size()) {
        const auto count = ::send(connection.socket.get(), connection.out.data() + done, connection.out.size() - done,
                                  MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                return false;
            }
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    connection.out.erase(0, done);
    return true;
}

}  // namespace nfvcert::runtime
