// Tally: what was measured of one endpoint.
#pragma once

#include <probe.hpp>

#include <ringlet/app/histogram.hpp>

#include <array>

namespace timeout_app {

struct Tally {
    ringlet::Histogram latency;                 // of the probes that succeeded
    std::array<std::uint64_t, steps> failed{};  // at each step
    std::uint64_t probes = 0;
    std::uint64_t ok = 0;
    ringlet::Error last_error{};  // of the last that tried and failed; Error() if none has

    void add(const Probe& probe);
    std::uint64_t failures() const { return probes - ok; }
    std::uint64_t failed_at(Step step) const { return failed[static_cast<std::size_t>(step)]; }
    // Of all probes; there is at least one.
    double availability() const { return static_cast<double>(ok) / static_cast<double>(probes); }
};

}  // namespace timeout_app
