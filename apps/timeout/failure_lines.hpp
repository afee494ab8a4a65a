// FailureLines: failed probes, told to a person as they come, and never more than can be read.
#pragma once

#include <endpoint.hpp>
#include <probe.hpp>

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/clock.hpp>

#include <chrono>

namespace timeout_app {

class FailureLines {
public:
    // In each second; then only how many more there were.
    static constexpr unsigned lines_max = 8;
    // What one add() appends at most.
    static constexpr std::size_t bytes_max = 512;

    // Appends a line for a probe that failed; or counts it, if there were enough in this second.
    void add(ringlet::TextBuffer& text, ringlet::Instant now, const Endpoint& endpoint,
             const Probe& probe);
    // Appends how many were only counted since the last line.
    void add_rest(ringlet::TextBuffer& text);

private:
    static constexpr ringlet::Nanoseconds period = std::chrono::seconds(1);

    ringlet::Instant next_period_ = 0;
    unsigned lines_ = 0;  // in this period
    std::uint64_t left_out_ = 0;
};

}  // namespace timeout_app
