// The words of a failed probe.
#include <failure_lines.hpp>

namespace timeout_app {

void FailureLines::add(ringlet::TextBuffer& text, ringlet::Instant now, const Endpoint& endpoint,
                       const Probe& probe) {
    if (now >= next_period_) {
        next_period_ = ringlet::later(now, period);
        lines_ = 0;
    }
    if (lines_ == lines_max) {
        ++left_out_;
        return;
    }
    ++lines_;
    add_rest(text);
    ringlet::FixedText<224> shown;  // of an endpoint however long
    shown.append_printable(endpoint.text);
    text.format("timeout: %s: probe %llu failed at %s", shown.c_str(),
                static_cast<unsigned long long>(probe.number), name(probe.step));
    if (probe.attempts > 1) text.format(" (%u attempts)", probe.attempts);
    text.format(": %s\n", ringlet::text(probe.error));
}

void FailureLines::add_rest(ringlet::TextBuffer& text) {
    if (left_out_ == 0) return;
    text.format("timeout: %llu more probes failed\n", static_cast<unsigned long long>(left_out_));
    left_out_ = 0;
}

}  // namespace timeout_app
