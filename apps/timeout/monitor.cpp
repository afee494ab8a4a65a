// The tasks.
#include <monitor.hpp>

#include <ringlet/app/say.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/io/bytes.hpp>
#include <ringlet/io/standard_streams.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/ticker.hpp>

#include <algorithm>

namespace timeout_app {

using ringlet::attempt;
using ringlet::Task;
using ringlet::TaskGroup;

constinit ringlet::dns::Storage<Monitor::dns_limits> Monitor::dns_storage;
constinit HttpStorage Monitor::http_storage[endpoints_max];

Monitor::Monitor(const Settings& settings, std::span<const Endpoint> endpoints)
    : settings_(settings), resolver_(dns_storage) {
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        watched_.push_back(settings_, endpoints[i], resolver_, http_storage[i]);
    }
}

Task<int> Monitor::run() {
    auto clean_up = [this](ringlet::Outcome outcome) { return finish(outcome); };
    const auto done = co_await attempt(ringlet::finally(work(), clean_up));
    const Summary all = summary();
    co_return failures_.exit_status(done, all.ok == all.probes);
}

Task<void> Monitor::work() {
    co_await load_names();
    began_ = ringlet::scheduler().now();
    co_await TaskGroup::run([this](TaskGroup& group) -> Task<void> {
        group.spawn(&Monitor::write, std::ref(*this)).named("write");
        co_await probe_all();
        rows_.close();
    });
}

// Without the files, the probes of names fail, and say so.
Task<void> Monitor::load_names() {
    const auto has_name = [](const Watched& each) { return each.prober.endpoint().has_name(); };
    if (std::ranges::none_of(watched(), has_name)) co_return;
    const auto loaded = co_await attempt(resolver_.load());
    if (!loaded) failures_.note("names", loaded.error());
}

Task<void> Monitor::probe_all() {
    co_await TaskGroup::run([this](TaskGroup& group) -> Task<void> {
        for (std::size_t i = 0; i < watched_.size(); ++i) {
            group.spawn(&Monitor::watch, std::ref(*this), i).named("endpoint");
        }
        co_return;
    });
}

ringlet::Nanoseconds Monitor::head_start(std::size_t index) const {
    return settings_.interval * static_cast<long>(index) / static_cast<long>(watched_.size());
}

// One endpoint. Nothing is awaited between handing on a probe and counting it, so a cancellation
// tells of all that count.
Task<void> Monitor::watch(std::size_t index) {
    co_await ringlet::sleep(head_start(index));
    Watched& watched = watched_[index];
    ringlet::Ticker every(settings_.interval);
    for (std::uint64_t number = 1;; ++number) {
        Row row;
        row.index = index;
        row.probe = co_await watched.prober.probe(number);
        if (settings_.jsonl || !row.probe.ok) co_await rows_.put(row);
        watched.tally.add(row.probe);
        if (number == settings_.count) co_return;
        co_await every.tick();
    }
}

// Nothing is awaited between taking a row and the shield, so a cancellation loses none.
Task<void> Monitor::write() {
    for (;;) {
        const auto first = co_await rows_.get();
        if (!first) co_return;
        const auto written = co_await attempt(ringlet::shield(write_rows(*first)));
        if (!written) {
            failures_.note_standard_output(written.error());
            co_await ringlet::fail(written.error());
        }
    }
}

// Writes `first` and those behind it, many in one write.
Task<void> Monitor::write_rows(Row first) {
    message_.clear();
    for (std::optional<Row> row = first; row;) {
        add(*row);
        if (is_full() || message_.size() + FailureLines::bytes_max > message_bytes) break;
        row = rows_.try_get();
    }
    co_await flush();
    if (message_.size() > 0) co_await ringlet::say(message_.view());
}

void Monitor::add(const Row& row) {
    const Endpoint& endpoint = watched_[row.index].prober.endpoint();
    if (settings_.jsonl) append_probe_line(output_, endpoint, row.probe);
    if (row.probe.ok) return;
    failure_lines_.add(message_, ringlet::scheduler().now(), endpoint, row.probe);
}

Task<void> Monitor::flush() {
    if (output_.size() > 0) {
        co_await ringlet::standard_output().write_all(ringlet::bytes_of(output_.view()));
    }
    output_.clear();
}

}  // namespace timeout_app
