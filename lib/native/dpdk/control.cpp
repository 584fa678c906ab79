#include "dpdk/control.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace nfvcert::dpdk {
namespace {

using nlohmann::json;

constexpr std::size_t longest_line = 16U << 20U;      // octets of an order
constexpr std::size_t longest_backlog = 64U << 20U;   // octets that a slow reader may leave unread
constexpr int niceness = 15;                          // dumps give way to packets

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

std::string line_of(const json& answer) { return answer.dump(-1, ' ', false, json::error_handler_t::replace) + '\n'; }

json refusal(const json& id, const std::string& code, const std::string& text, const json& details = json::object()) {
    auto answer = details;
    answer["ok"] = false;
    answer["code"] = code;
    answer["error"] = text;
    if (!id.is_null()) {
        answer["id"] = id;
    }
    return answer;
}

/// The line that answers an order, whatever comes of it.
template <class Act>
std::string answer_to(const json& id, Act&& act) {
    try {
        json reply = act();
        if (!reply.is_object()) {
            reply = json::object();
        }
        reply["ok"] = true;
        if (!id.is_null()) {
            reply["id"] = id;
        }
        return line_of(reply);
    } catch (const Refusal& error) {
        return line_of(refusal(id, error.code, error.what(), error.details));
    } catch (const json::exception& error) {
        return line_of(refusal(id, "bad-order", error.what()));
    } catch (const std::exception& error) {
        return line_of(refusal(id, "failed", error.what()));
    }
}

}  // namespace

Control::Control(std::string path) : path_{std::move(path)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) {
        throw std::runtime_error("the path of the control socket is longer than " +
                                 std::to_string(sizeof address.sun_path - 1) + " octets: " + path_);
    }
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    listener_ = runtime::UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    wake_ = runtime::UniqueFd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    ::unlink(path_.c_str());
    if (!listener_.valid() || !wake_.valid() ||
        ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 16) != 0) {
        fail("control socket " + path_);
    }
}

Control::~Control() {
    stop();
    ::unlink(path_.c_str());
}

void Control::on(std::string op, Handler handler) { orders_[std::move(op)] = {std::move(handler), false}; }

void Control::on_slow(std::string op, Handler handler) { orders_[std::move(op)] = {std::move(handler), true}; }

void Control::start() {
    thread_ = std::thread{[this] { serve(); }};
}

void Control::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void Control::stop() {
    stopping_ = true;
    wake();
    if (thread_.joinable()) {
        thread_.join();
    }
    for (auto& [id, thread] : slow_) {
        thread.join();
    }
    slow_.clear();
}

void Control::publish(const json& event) {
    {
        const std::lock_guard lock{told_mutex_};
        events_.push_back(event.dump() + '\n');
    }
    wake();
}

void Control::serve() {
    // the creating thread is pinned to the core that polls; this one may run anywhere
    cpu_set_t all;
    std::memset(&all, 0xff, sizeof all);
    ::sched_setaffinity(0, sizeof all, &all);
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    while (!stopping_) {
        std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
        for (const auto& connection : connections_) {
            const auto events = connection.to_send.empty() ? POLLIN : POLLIN | POLLOUT;
            watched.push_back({connection.fd.get(), static_cast<short>(events), 0});
        }
        if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) {
            return;
        }
        take_events();
        take_late_answers();
        std::size_t place = 2;
        std::erase_if(connections_, [&](Connection& connection) {
            const auto happened = watched[place++].revents;
            const auto alive = (happened & (POLLIN | POLLHUP | POLLERR)) == 0 || receive(connection);
            return !alive || !flush(connection);
        });
        if ((watched[0].revents & POLLIN) != 0) {
            accept_one();
        }
    }
}

void Control::accept_one() {
    runtime::UniqueFd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (fd.valid()) {
        connections_.push_back({++connections_made_, std::move(fd), {}, {}, false});
    }
}

bool Control::receive(Connection& connection) {
    char buffer[65536];
    for (;;) {
        const auto count = ::read(connection.fd.get(), buffer, sizeof buffer);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
            return false;
        }
        if (count < 0) {
            break;
        }
        connection.received.append(buffer, static_cast<std::size_t>(count));
        if (static_cast<std::size_t>(count) < sizeof buffer) {
            break;
        }
    }
    std::size_t begin = 0;
    for (auto end = connection.received.find('\n'); end != std::string::npos; end = connection.received.find('\n', begin)) {
        answer(connection, connection.received.substr(begin, end - begin));
        begin = end + 1;
    }
    connection.received.erase(0, begin);
    if (connection.received.size() > longest_line) {
        connection.to_send += refusal(nullptr, "too-long", "an order is longer than 16 MiB").dump() + '\n';
        flush(connection);
        return false;
    }
    return true;
}

bool Control::flush(Connection& connection) {
    while (!connection.to_send.empty()) {
        const auto count = ::send(connection.fd.get(), connection.to_send.data(), connection.to_send.size(), MSG_NOSIGNAL);
        if (count < 0) {
            return (errno == EAGAIN || errno == EINTR) && connection.to_send.size() <= longest_backlog;
        }
        connection.to_send.erase(0, static_cast<std::size_t>(count));
    }
    return true;
}

void Control::answer(Connection& connection, const std::string& line) {
    const auto order = json::parse(line, nullptr, false);
    if (!order.is_object() || !order.contains("op") || !order["op"].is_string()) {
        connection.to_send += line_of(refusal(nullptr, "bad-order", "an order is a JSON object with 'op'"));
        return;
    }
    const auto id = order.value("id", json{});
    const auto op = order["op"].get<std::string>();
    const auto known = orders_.find(op);
    if (op == "subscribe") {
        connection.subscribed = true;
        connection.to_send += answer_to(id, [] { return json::object(); });
    } else if (known == orders_.end()) {
        connection.to_send += line_of(refusal(id, "unknown-order", "there is no order '" + op + "'"));
    } else if (!known->second.slow) {
        connection.to_send += answer_to(id, [&] { return known->second.handler(order); });
    } else if (slow_.size() >= most_slow) {
        connection.to_send += line_of(
            refusal(id, "busy", std::to_string(most_slow) + " orders that take their time are being carried out"));
    } else {
        carry_out_aside(connection.number, known->second.handler, order);
    }
}

void Control::carry_out_aside(std::uint64_t connection, const Handler& handler, const json& order) {
    std::thread thread{[this, connection, &handler, order] {
        auto told = answer_to(order.value("id", json{}), [&] { return handler(order); });
        {
            const std::lock_guard lock{told_mutex_};
            late_answers_.emplace_back(connection, std::move(told));
            slow_over_.push_back(std::this_thread::get_id());
        }
        wake();
    }};
    const auto id = thread.get_id();
    slow_.emplace(id, std::move(thread));
}

void Control::take_late_answers() {
    decltype(late_answers_) answers;
    decltype(slow_over_) over;
    {
        const std::lock_guard lock{told_mutex_};
        answers.swap(late_answers_);
        over.swap(slow_over_);
    }
    for (const auto id : over) {
        const auto found = slow_.find(id);
        found->second.join();
        slow_.erase(found);
    }
    for (auto& [number, line] : answers) {
        for (auto& connection : connections_) {
            if (connection.number == number) {
                connection.to_send += line;
            }
        }
    }
}

void Control::take_events() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(wake_.get(), &count, sizeof count);
    std::vector<std::string> events;
    {
        const std::lock_guard lock{told_mutex_};
        events.swap(events_);
    }
    for (auto& connection : connections_) {
        if (connection.subscribed) {
            for (const auto& event : events) {
                connection.to_send += event;
            }
        }
    }
}

}  // namespace nfvcert::dpdk
