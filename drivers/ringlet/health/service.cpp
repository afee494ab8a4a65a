// The environment that a service manager sets, and its datagrams: sd_notify(3).
#include <ringlet/health/service.hpp>

#include <ringlet/flow/timeout.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <unistd.h>

namespace ringlet::health {
namespace {

std::string_view variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? std::string_view(value) : std::string_view();
}

// 0 if it is no number.
std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole ? value : 0;
}

}  // namespace

Service::Environment Service::environment() {
    const std::string_view process = variable("WATCHDOG_PID");
    const bool is_meant = process.empty() || number(process) == ::getpid();
    const std::int64_t span_us = is_meant ? number(variable("WATCHDOG_USEC")) : 0;
    return {.socket = variable("NOTIFY_SOCKET"),
            .watchdog = std::chrono::microseconds(std::max<std::int64_t>(span_us, 0))};
}

Task<Service> Service::open(Environment environment) {
    Service service;
    if (environment.socket.empty()) co_return service;
    service.address_ = co_await unix_address(environment.socket);
    service.socket_ = co_await UnixDatagram::open();
    service.watchdog_ = environment.watchdog;
    co_return service;
}

Task<void> Service::tell(std::string_view message) {
    if (!is_managed()) co_return;
    const auto bytes = std::as_bytes(std::span(message));
    co_await timeout(std::chrono::seconds(1), socket_.send_to(bytes, address_));
}

Task<void> Service::status(std::string_view line) {
    constexpr std::string_view name = "STATUS=";
    std::array<char, 208> message;
    const std::size_t size = std::min(line.size(), message.size() - name.size());
    std::ranges::copy(name, message.begin());
    std::ranges::copy(line.substr(0, size), message.begin() + name.size());
    std::ranges::replace(message, '\n', ' ');  // it would begin another assignment
    co_await tell({message.data(), name.size() + size});
}

}  // namespace ringlet::health
