// The end: what has ended is written, and what happened is said.
#include <fetch.hpp>

#include <ringlet/app/format.hpp>
#include <ringlet/app/json_lines.hpp>
#include <ringlet/app/say.hpp>
#include <ringlet/task/attempt.hpp>

namespace fetch {

using ringlet::attempt;
using ringlet::Task;

namespace {

unsigned long long wide(std::uint64_t number) {
    return number;
}

}  // namespace

// Runs shielded, after the work has ended in whatever way.
Task<void> Fetch::finish(ringlet::Outcome outcome) {
    if (!failures_.output_is_lost() && began_ && !rows_.is_empty()) {
        const auto written = co_await attempt(write_rows());
        if (!written) failures_.note_standard_output(written.error());
    }
    begin_message();
    message_.append(failures_.lines());
    if (message_.size() > 0) co_await ringlet::say(message_.view());
    if (began_ || outcome != ringlet::Outcome::value) co_await write_summary(outcome);
}

void Fetch::begin_message() {
    message_.clear();
    if (progress_) message_.append(progress_->erase());
}

Task<void> Fetch::write_summary(ringlet::Outcome outcome) {
    const ringlet::Instant now = ringlet::scheduler().now();
    const double seconds = static_cast<double>(now - began_.value_or(now)) / 1e9;
    begin_message();
    if (outcome != ringlet::Outcome::value && !failures_.reader_has_left()) {
        message_.format("fetch: stopped; of the %llu URLs that were read, %llu are left undone\n",
                        wide(counts_.urls), wide(counts_.undone()));
    }
    if (settings_.jsonl) {
        append_summary_line(seconds);
    } else {
        append_summary_text(seconds);
    }
    co_await ringlet::say(message_.view());
}

void Fetch::append_summary_line(double seconds) {
    std::array<char, 1024> memory;
    ringlet::JsonLine line(memory);
    const auto& connections = downloads_.connections();
    line.open("summary")
        .add("urls", counts_.urls)
        .add("ok", counts_.ok)
        .add("failed", counts_.failed)
        .add("undone", counts_.undone())
        .add("bytes", counts_.bytes)
        .add("seconds", seconds)
        .add("retries", counts_.retries)
        .open("connections")
        .add("opened", connections.opened)
        .add("reused", connections.reused)
        .add("high_water", connections.connections_max)
        .add("per_host_high_water", connections.per_host_max)
        .close()
        .close();
    const auto words = line.finish();
    if (words) message_.append(*words);
}

void Fetch::append_summary_text(double seconds) {
    message_.format("fetch: %llu URLs (%llu had, %llu failed) in ", wide(counts_.urls),
                    wide(counts_.ok), wide(counts_.failed));
    message_.append_fixed(seconds, 3);
    message_.append(" s; ");
    ringlet::append_size_rounded(message_, counts_.bytes);
    const auto& connections = downloads_.connections();
    message_.format("; %llu retries\nfetch: connections: %llu opened, %llu times "
                    "used again; at most %u at once, %u to one host\n",
                    wide(counts_.retries), wide(connections.opened), wide(connections.reused),
                    connections.connections_max, connections.per_host_max);
}

}  // namespace fetch
