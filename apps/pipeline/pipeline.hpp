// The pipeline: stages that are tasks, joined by bounded queues.
//
//   read --lines--> parse x N --records--> aggregate --results--> write
//     \________________\______________________\--rejects--> report
//
// A line waits in one of a fixed number of slots; a queue carries its number. Each stage closes its
// queue when all that feed it have ended. All stages run on one thread, and queues are first come
// first served, so records keep their order whatever the number of workers.
#pragma once

#include <output.hpp>
#include <record.hpp>
#include <settings.hpp>
#include <source.hpp>
#include <windows.hpp>

#include <ringlet/app/failures.hpp>
#include <ringlet/app/progress.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/task/task.hpp>

#include <array>
#include <optional>

namespace pipeline {

struct Counts {
    std::uint64_t lines = 0;  // read
    std::uint64_t bytes = 0;  // read
    std::uint64_t good = 0;
    std::uint64_t bad = 0;
};

class Pipeline {
public:
    // The strings of `settings` outlive it, and are zero-terminated.
    explicit Pipeline(const Settings& settings);

    // Reads the source to its end and writes the results. Gives 0, or 1 if something failed, which
    // is said on standard error. A broken pipe at standard output ends it quietly.
    //
    // Cancellation: what is complete is written and put in place, and what is left undone is said.
    ringlet::Task<int> run();

    const Counts& counts() const { return counts_; }

private:
    struct Line {
        std::uint64_t number = 0;
        std::uint32_t slot = 0;
        std::uint32_t size = 0;
    };

    static constexpr std::size_t slot_storage_bytes = 1_MiB;
    static constexpr std::size_t slots_max = queue_depth_max + workers_max + 1;
    static constexpr std::size_t read_bytes = 64_KiB;  // at a time
    static constexpr std::size_t record_json_bytes = 8_KiB;
    // What a pipe takes in one piece (PIPE_BUF), so that lines of the log never stand in between.
    static constexpr std::size_t message_bytes = 4_KiB;

    ringlet::Task<void> work();
    ringlet::Task<void> stages(Source& source);
    ringlet::Task<void> read(Source& source);
    ringlet::Task<void> parse();
    ringlet::Task<void> aggregate();
    ringlet::Task<void> write();
    ringlet::Task<void> report();
    ringlet::Task<void> show_progress();
    ringlet::Task<void> finish(ringlet::Outcome outcome);
    ringlet::Task<void> write_left_results();
    ringlet::Task<void> write_rejects(Reject first);
    void note_source_failure(ringlet::Error error, std::uint64_t line);
    void note_output_failure(ringlet::Error error);
    ringlet::Task<void> write_summary(ringlet::Outcome outcome);

    ringlet::Task<void> take_line(std::string_view text, std::uint64_t number);
    ringlet::Task<void> reject(std::uint64_t line, const char* reason);
    // It ended before the source gave anything: that replaces no file.
    bool nothing_came(ringlet::Outcome outcome) const {
        return counts_.lines == 0 && (source_failed_ || outcome != ringlet::Outcome::value);
    }
    void begin_message();
    std::span<char> slot(std::uint32_t index);
    void append_summary_line(double seconds);
    void append_summary_text(double seconds);

    Settings settings_;
    Counts counts_;
    std::optional<ringlet::uart::Counters> line_;  // of a source that counts errors of its line
    std::optional<ringlet::Instant> began_;  // the first stage
    bool source_failed_ = false;

    ringlet::Queue<std::uint32_t, slots_max> free_slots_;
    ringlet::Queue<Line, queue_depth_max> lines_;
    ringlet::Queue<Record, queue_depth_max> records_;
    ringlet::Queue<WindowResult, queue_depth_max> results_;
    ringlet::Queue<Reject, queue_depth_max> rejects_;
    Windows windows_;
    std::optional<WindowResult> complete_;  // on its way into results_
    Output output_;
    ringlet::Failures failures_{"pipeline"};
    ringlet::FixedText<message_bytes> message_;  // what report() or finish() is about to write
    std::optional<ringlet::ProgressLine> progress_;
    ringlet::JsonArena<record_json_bytes + 8 * line_bytes_max> json_;
    std::array<char, line_bytes_max + read_bytes> read_buffer_;
    std::array<char, slot_storage_bytes> slot_storage_;
};

}  // namespace pipeline
