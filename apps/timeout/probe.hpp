// Probe: what came of looking at an endpoint once, retries included.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/error.hpp>

#include <cstddef>
#include <cstdint>

namespace timeout_app {

// Where a probe was, or failed.
enum class Step : std::uint8_t {
    resolve,  // looking up the host's name
    connect,
    send,     // sending the request
    head,     // waiting for the response's head
    body,     // reading the response's body
    answer,   // waiting for a device's line
    status,   // the response's says that the server failed
    breaker,  // it was not begun
};
inline constexpr std::size_t steps = 8;

// "resolve", ...: static text.
const char* name(Step step);

struct Probe {
    std::uint64_t number = 0;      // of its endpoint, from 1
    ringlet::Error error{};        // of the last attempt, or the breaker's
    ringlet::Nanoseconds took{0};  // the last attempt, which is the successful one, if any is
    std::uint32_t attempts = 0;
    Step step{};  // where the last attempt ended
    bool ok = false;
};

}  // namespace timeout_app
