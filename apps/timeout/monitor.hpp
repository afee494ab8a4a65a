// Monitor: probes all endpoints side by side, and tells what comes of it.
//
//   watch x endpoints --rows--> write --> standard output (--jsonl), failures to standard error
//
// Each endpoint has a task. Of n endpoints the i-th begins i/n of the interval after the start, and
// then keeps its rhythm, so that they never all fire at once. A probe that takes longer than the
// interval skips ticks. When standard output is slow the queue fills, and the tasks wait.
#pragma once

#include <failure_lines.hpp>
#include <report.hpp>

#include <ringlet/app/failures.hpp>
#include <ringlet/base/static_vector.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/task/task_block.hpp>

#include <optional>

namespace timeout_app {

class Monitor {
public:
    // Settings and endpoints, 1 to endpoints_max, outlive it. One at a time: endpoints' connections
    // have static memory. Made and destroyed inside run().
    Monitor(const Settings& settings, std::span<const Endpoint> endpoints);

    // Probes until each endpoint had its probes, and reports. Gives 0, or 1 if a probe failed or
    // the output could not be written, which is said on standard error. A broken pipe at standard
    // output ends it quietly.
    //
    // Cancellation: probes under way do not count; what was measured is reported.
    ringlet::Task<int> run();

    std::span<const Watched> watched() const { return {watched_.begin(), watched_.size()}; }

private:
    struct Row {
        std::size_t index = 0;
        Probe probe;
    };

    static constexpr std::size_t rows_max = 256;
    static constexpr std::size_t output_bytes = table_bytes_max + line_bytes_max;
    // What a pipe takes in one piece (PIPE_BUF), so that lines of the log never stand in between.
    static constexpr std::size_t message_bytes = 4_KiB;
    // A name takes two questions. None waits in line for others: that would be measured as its own.
    static constexpr ringlet::dns::Limits dns_limits{.queries = 2 * endpoints_max,
                                                     .hosts = 256,
                                                     .hosts_bytes = 8_KiB,
                                                     .cache = 2 * endpoints_max};
    static ringlet::dns::Storage<dns_limits> dns_storage;
    static HttpStorage http_storage[endpoints_max];

    ringlet::Task<void> work();
    ringlet::Task<void> load_names();
    ringlet::Task<void> probe_all();
    ringlet::Task<void> watch(std::size_t index);
    ringlet::Task<void> write();
    ringlet::Task<void> write_rows(Row first);
    ringlet::Task<void> flush();
    ringlet::Task<void> finish(ringlet::Outcome outcome);
    ringlet::Task<void> write_report();

    ringlet::Nanoseconds head_start(std::size_t index) const;
    void add(const Row& row);
    bool is_full() const { return output_.size() + line_bytes_max > output_bytes; }
    Summary summary() const;

    const Settings settings_;
    ringlet::dns::Resolver resolver_;
    ringlet::StaticVector<Watched, endpoints_max> watched_;
    std::optional<ringlet::Instant> began_;  // the first probe

    ringlet::Queue<Row, rows_max> rows_;
    FailureLines failure_lines_;
    ringlet::FixedText<output_bytes> output_;
    ringlet::FixedText<message_bytes> message_;
    ringlet::Failures failures_{"timeout"};
};

}  // namespace timeout_app
