// The end: what was measured is written, and what happened is said.
#include <monitor.hpp>

#include <ringlet/app/say.hpp>
#include <ringlet/task/attempt.hpp>

namespace timeout_app {

using ringlet::attempt;
using ringlet::Task;

// Runs shielded, after the work has ended in whatever way.
Task<void> Monitor::finish(ringlet::Outcome outcome) {
    if (!failures_.output_is_lost()) {
        const auto written = co_await attempt(write_report());
        if (!written) failures_.note_standard_output(written.error());
    }
    message_.clear();
    failure_lines_.add_rest(message_);
    message_.append(failures_.lines());
    if (outcome == ringlet::Outcome::cancelled) {
        message_.append("timeout: stopped; probes that were under way do not count\n");
    }
    if (settings_.jsonl) {
        append_summary_line(message_, summary());
    } else {
        append_summary_text(message_, summary());
    }
    co_await ringlet::say(message_.view());
}

Task<void> Monitor::write_report() {
    for (;;) {
        const auto left = rows_.try_get();
        if (!left) break;
        co_await write_rows(*left);
    }
    if (!settings_.jsonl) append_table(output_, watched());
    for (const Watched& each : watched()) {
        if (!settings_.jsonl) break;
        append_endpoint_line(output_, each);
        if (is_full()) co_await flush();
    }
    co_await flush();
}

Summary Monitor::summary() const {
    Summary all{.endpoints = watched_.size()};
    for (const Watched& each : watched()) {
        all.probes += each.tally.probes;
        all.ok += each.tally.ok;
    }
    const ringlet::Instant now = ringlet::scheduler().now();
    all.seconds = static_cast<double>(now - began_.value_or(now)) / 1e9;
    return all;
}

}  // namespace timeout_app
