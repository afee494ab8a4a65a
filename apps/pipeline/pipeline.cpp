// The stages, and how they end.
#include <pipeline.hpp>

#include <ringlet/app/show_progress.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/io/line_reader.hpp>
#include <ringlet/task/attempt.hpp>

#include <algorithm>

namespace pipeline {

using ringlet::attempt;
using ringlet::Task;
using ringlet::text;

Pipeline::Pipeline(const Settings& settings)
    : settings_(settings),
      lines_(settings.queue_depth),
      records_(settings.queue_depth),
      results_(settings.queue_depth),
      rejects_(settings.queue_depth),
      windows_(settings.window),
      output_(settings.jsonl) {
    const std::uint64_t wanted = settings.queue_depth + settings.workers + 1;
    const std::uint64_t room = slot_storage_bytes / settings.max_line;
    for (std::uint32_t i = 0; i < std::min(wanted, room); ++i) free_slots_.try_put(i);
}

std::span<char> Pipeline::slot(std::uint32_t index) {
    const auto size = static_cast<std::size_t>(settings_.max_line);  // at most line_bytes_max
    return std::span(slot_storage_).subspan(index * size, size);
}

Task<int> Pipeline::run() {
    auto clean_up = [this](ringlet::Outcome outcome) { return finish(outcome); };
    const auto done = co_await attempt(ringlet::finally(work(), clean_up));
    const bool lost_bytes = line_ && line_->overruns + line_->buffer_overruns > 0;
    co_return failures_.exit_status(done, counts_.bad == 0 && !lost_bytes && !source_failed_);
}

// The output comes first: what cannot be written shall not be waited for.
Task<void> Pipeline::work() {
    const char* const path = settings_.output.empty() ? nullptr : settings_.output.data();
    const auto opened = co_await attempt(output_.open(path));
    if (!opened) {
        note_output_failure(opened.error());
        co_return;
    }
    auto source = co_await attempt(Source::open(settings_.source.data()));
    if (!source) {
        note_source_failure(source.error(), 0);
        co_return;
    }
    began_ = ringlet::scheduler().now();
    co_await stages(*source);
}

// Starts the stages, and closes each queue once those that fill it have ended.
Task<void> Pipeline::stages(Source& source) {
    co_await ringlet::TaskGroup::run([&](ringlet::TaskGroup& group) -> Task<void> {
        auto self = std::ref(*this);
        auto reporting = group.spawn(&Pipeline::report, self).named("report");
        auto writing = group.spawn(&Pipeline::write, self).named("write");
        auto aggregating = group.spawn(&Pipeline::aggregate, self).named("aggregate");
        auto progress = group.spawn(&Pipeline::show_progress, self).named("progress");
        auto reading = group.spawn(&Pipeline::read, self, std::ref(source)).named("read");
        co_await ringlet::TaskGroup::run([&](ringlet::TaskGroup& workers) -> Task<void> {
            for (std::uint32_t i = 0; i < settings_.workers; ++i) {
                workers.spawn(&Pipeline::parse, self).named("parse");
            }
            co_await reading.join();
            lines_.close();
        });
        records_.close();
        co_await aggregating.join();
        results_.close();
        rejects_.close();
        co_await reporting.join();
        progress.cancel();
    });
}

Task<void> Pipeline::read(Source& source) {
    ringlet::LineReader lines(source, read_buffer_,
                              {.line_bytes_max = static_cast<std::size_t>(settings_.max_line)});
    for (;;) {
        const auto line = co_await attempt(lines.next());
        counts_.bytes = source.bytes();
        line_ = source.line_counters();
        if (line && !*line) co_return;
        if (!line && line.error() != ringlet::line_too_long) {
            note_source_failure(line.error(), lines.line_number());
            co_return;  // what was read is worked on to the end
        }
        ++counts_.lines;
        if (line) {
            co_await take_line(**line, lines.line_number());
        } else {
            co_await reject(lines.line_number(), text(line.error()));
        }
    }
}

// Copies a line to a free slot, and passes that on.
Task<void> Pipeline::take_line(std::string_view line, std::uint64_t number) {
    const auto index = co_await free_slots_.get();
    std::ranges::copy(line, slot(*index).begin());
    co_await lines_.put(Line{number, *index, static_cast<std::uint32_t>(line.size())});
}

Task<void> Pipeline::parse() {
    for (;;) {
        const auto line = co_await lines_.get();
        if (!line) co_return;
        Record record;
        record.line = line->number;
        ringlet::FixedText<reason_bytes> why;
        const std::string_view content(slot(line->slot).data(), line->size);
        const bool good = parse_record(json_, content, record, why);
        free_slots_.try_put(line->slot);
        if (good) {
            co_await records_.put(record);
        } else {
            co_await reject(line->number, why.c_str());
        }
    }
}

Task<void> Pipeline::reject(std::uint64_t line, const char* reason) {
    Reject item;
    item.line = line;
    const std::string_view words = reason;
    std::ranges::copy(words.substr(0, reason_bytes - 1), item.reason.begin());
    co_await rejects_.put(item);
    ++counts_.bad;
}

Task<void> Pipeline::aggregate() {
    for (;;) {
        const auto record = co_await records_.get();
        if (!record) break;
        WindowResult result;
        const auto added = windows_.add(*record, result);
        if (added == Windows::Added::no_room) {
            ringlet::FixedText<reason_bytes> why;
            why.format("/sensor: there are %zu other sensors already", sensors_max);
            co_await reject(record->line, why.c_str());
            continue;
        }
        ++counts_.good;
        if (added == Windows::Added::open) continue;
        complete_ = result;
        co_await results_.put(result);
        complete_.reset();
    }
    for (;;) {
        complete_ = windows_.take_incomplete();
        if (!complete_) co_return;
        co_await results_.put(*complete_);
    }
}

// Nothing is awaited between taking a result and adding it, so a cancellation loses none.
Task<void> Pipeline::write() {
    for (;;) {
        const auto result = co_await results_.get();
        if (!result) co_return;
        output_.add(*result);
        // Who reads standard output sees a row as soon as nothing more is there to go with it.
        const bool more_comes = output_.is_file() || results_.size() > 0;
        if (more_comes && !output_.is_full()) continue;
        const auto flushed = co_await attempt(output_.flush());
        if (!flushed) {
            note_output_failure(flushed.error());
            co_await ringlet::fail(flushed.error());
        }
    }
}

// A cancellation lets a report that has begun be written to its end: what is counted is told.
Task<void> Pipeline::report() {
    for (;;) {
        const auto first = co_await rejects_.get();
        if (!first) co_return;
        co_await ringlet::shield(write_rejects(*first));
    }
}

Task<void> Pipeline::show_progress() {
    const auto numbers = [this] {
        return ringlet::ProgressNumbers{.done = counts_.lines, .failed = counts_.bad};
    };
    co_await ringlet::show_progress(progress_, "pipeline", numbers);
}

}  // namespace pipeline
