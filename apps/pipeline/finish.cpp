// The end of a pipeline: what is complete is written, and what happened is said.
#include <pipeline.hpp>

#include <ringlet/app/format.hpp>
#include <ringlet/app/json_lines.hpp>
#include <ringlet/app/say.hpp>
#include <ringlet/app/table.hpp>
#include <ringlet/task/attempt.hpp>

namespace pipeline {

using ringlet::attempt;
using ringlet::say;
using ringlet::Task;

namespace {

double records_per_second(std::uint64_t records, double seconds) {
    return seconds > 0 ? static_cast<double>(records) / seconds : 0;
}

}  // namespace

// `line`: the last that came, or 0.
void Pipeline::note_source_failure(ringlet::Error error, std::uint64_t line) {
    source_failed_ = true;
    failures_.note(settings_.source, error, line);
}

void Pipeline::note_output_failure(ringlet::Error error) {
    if (settings_.output.empty()) {
        failures_.note_standard_output(error);
    } else {
        failures_.note_output(settings_.output, error);
    }
}

// Runs shielded, after the work has ended in whatever way.
Task<void> Pipeline::finish(ringlet::Outcome outcome) {
    const bool keep_old = nothing_came(outcome);
    if (!keep_old && !failures_.output_is_lost()) {
        const auto written = co_await attempt(write_left_results());
        if (!written) note_output_failure(written.error());
    }
    if (keep_old || failures_.output_is_lost()) {  // the old file stays
        const auto removed = co_await attempt(output_.abandon());
        if (!removed) failures_.note("a temporary stays", removed.error());
    }
    while (const auto left = rejects_.try_get()) co_await write_rejects(*left);
    begin_message();
    message_.append(failures_.lines());
    co_await say(message_.view());
    if (began_ || outcome != ringlet::Outcome::value) co_await write_summary(outcome);
}

Task<void> Pipeline::write_left_results() {
    for (;;) {
        const auto left = results_.try_get();
        if (!left && !complete_) break;
        if (output_.is_full()) co_await output_.flush();
        output_.add(left ? *left : *complete_);
        if (!left) complete_.reset();
    }
    co_await output_.finish();
}

// Writes `first` and those behind it, many in one write.
Task<void> Pipeline::write_rejects(Reject first) {
    constexpr std::size_t room_for_one = reason_bytes + 48;
    begin_message();
    for (std::optional<Reject> item = first; item;) {
        message_.format("pipeline: line %llu: %s\n", static_cast<unsigned long long>(item->line),
                        item->reason.data());
        if (message_.size() + room_for_one > message_bytes) break;
        item = rejects_.try_get();
    }
    co_await say(message_.view());
}

void Pipeline::begin_message() {
    message_.clear();
    if (progress_) message_.append(progress_->erase());
}

Task<void> Pipeline::write_summary(ringlet::Outcome outcome) {
    const ringlet::Instant now = ringlet::scheduler().now();
    const double seconds = static_cast<double>(now - began_.value_or(now)) / 1e9;
    begin_message();
    if (outcome != ringlet::Outcome::value && !failures_.reader_has_left()) {
        message_.format("pipeline: stopped after line %llu; left undone: %llu lines that were read,"
                        " and %llu records in windows that are not complete\n",
                        static_cast<unsigned long long>(counts_.lines),
                        static_cast<unsigned long long>(counts_.lines - counts_.good - counts_.bad),
                        static_cast<unsigned long long>(windows_.pending()));
    }
    if (settings_.jsonl) {
        append_summary_line(seconds);
    } else {
        append_summary_text(seconds);
    }
    co_await say(message_.view());
}

void Pipeline::append_summary_line(double seconds) {
    std::array<char, 1024> memory;
    ringlet::JsonLine line(memory);
    line.open("summary")
        .add("records", counts_.lines)
        .add("good", counts_.good)
        .add("bad", counts_.bad)
        .add("windows", output_.rows())
        .add("bytes", counts_.bytes)
        .add("seconds", seconds)
        .add("records_per_second", records_per_second(counts_.lines, seconds));
    if (line_) {
        line.open("line_errors")
            .add("parity", line_->parity)
            .add("framing", line_->framing)
            .add("breaks", line_->breaks)
            .add("overruns", line_->overruns)
            .add("buffer_overruns", line_->buffer_overruns)
            .close();
    }
    line.open("queues");
    const auto add_queue = [&](const char* name, const auto& queue) {
        line.open(name)
            .add("capacity", queue.capacity())
            .add("high_water", queue.high_water())
            .close();
    };
    add_queue("lines", lines_);
    add_queue("records", records_);
    add_queue("results", results_);
    add_queue("rejects", rejects_);
    line.close().close();
    const auto words = line.finish();
    if (words) message_.append(*words);
}

void Pipeline::append_summary_text(double seconds) {
    message_.format("pipeline: %llu records (%llu good, %llu bad) in ",
                    static_cast<unsigned long long>(counts_.lines),
                    static_cast<unsigned long long>(counts_.good),
                    static_cast<unsigned long long>(counts_.bad));
    message_.append_fixed(seconds, 3);
    message_.append(" s; ");
    message_.append_fixed(records_per_second(counts_.lines, seconds), 0);
    message_.append(" records/s; ");
    ringlet::append_size_rounded(message_, counts_.bytes);
    message_.format("; %llu windows\n", static_cast<unsigned long long>(output_.rows()));
    if (line_) {
        message_.format("pipeline: errors of the line: %u parity, %u framing, %u breaks,"
                        " %u overruns, %u buffer overruns\n",
                        line_->parity, line_->framing, line_->breaks, line_->overruns,
                        line_->buffer_overruns);
    }
    message_.append("pipeline: queues, most held of their capacity:");
    const auto append_queue = [&](const char* name, const auto& queue) {
        message_.format(" %s %zu/%zu", name, queue.high_water(), queue.capacity());
    };
    append_queue("lines", lines_);
    append_queue("records", records_);
    append_queue("results", results_);
    append_queue("rejects", rejects_);
    message_.append("\n");
}

}  // namespace pipeline
