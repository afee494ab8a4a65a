// Prober: probes one endpoint, when it is asked to.
//
//   probe --> breaker --> attempt --failed--> pause --> attempt ...
//                           |
//                           +-- resolve --> connect --> send --> head --> status --> body
//                                                  \-- tcp, unix: that is all
//                           \-- serial: connect --> send --> answer
//
// Each step of an attempt has its own limit, and none goes past the probe's deadline. So a probe
// that runs out of time can say at which step: a deadline around it all could not.
//
// Each attempt makes a connection of its own, but for a serial line, which stays open: opening it
// moves DTR, by which many a device is reset. It is closed once it fails.
#pragma once

#include <endpoint.hpp>
#include <probe.hpp>
#include <settings.hpp>

#include <ringlet/dns/resolver.hpp>
#include <ringlet/flow/circuit_breaker.hpp>
#include <ringlet/http/storage.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/time/deadline.hpp>
#include <ringlet/uart/uart.hpp>

#include <optional>

namespace timeout_app {

// One connection: an endpoint has one attempt at a time, and each makes its own.
inline constexpr ringlet::http::Limits http_limits{.connections = 1,
                                                   .connections_per_host = 1,
                                                   .url_bytes = endpoint_bytes_max};
using HttpStorage = ringlet::http::Storage<http_limits>;

class Prober {
public:
    // All outlive it; the storage is its own.
    Prober(const Settings& settings, const Endpoint& endpoint, ringlet::dns::Resolver& resolver,
           HttpStorage& storage);

    // Probes once. A failure is no error of the await. One at a time.
    //
    // Cancellation: what is under way is closed in the background, a serial line with the prober;
    // it counts for nothing.
    ringlet::Task<Probe> probe(std::uint64_t number);

    const Endpoint& endpoint() const { return endpoint_; }
    ringlet::CircuitState breaker_state() const { return breaker_.state(); }

private:
    ringlet::Task<void> try_attempts(Probe& probe);
    ringlet::Task<void> reach();
    ringlet::Task<void> look_up();
    ringlet::Task<void> reach_tcp();
    ringlet::Task<void> reach_http();
    ringlet::Task<void> reach_unix();
    ringlet::Task<void> reach_serial();
    ringlet::Task<void> ask();
    ringlet::Task<void> open_line();
    ringlet::Task<void> send_request();
    ringlet::Task<void> read_answer();
    // Of the step that begins now.
    ringlet::Deadline limit() const;

    const Settings& settings_;
    const Endpoint& endpoint_;
    ringlet::dns::Resolver& resolver_;
    HttpStorage& storage_;
    ringlet::CircuitBreaker breaker_;
    ringlet::Deadline deadline_ = ringlet::Deadline::none();  // of the probe under way
    Step at_{};                                               // of the attempt under way
    std::optional<ringlet::uart::Uart> line_;
};

}  // namespace timeout_app
