// The stages, and how they end.
#include <fetch.hpp>

#include <ringlet/app/say.hpp>
#include <ringlet/app/show_progress.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/io/file_system.hpp>
#include <ringlet/io/line_reader.hpp>
#include <ringlet/io/standard_streams.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>

namespace fetch {

using ringlet::attempt;
using ringlet::Task;
namespace http = ringlet::http;

namespace {

std::string_view trimmed(std::string_view line) {
    constexpr std::string_view blanks = " \t";
    const auto begin = line.find_first_not_of(blanks);
    if (begin == line.npos) return {};
    return line.substr(begin, line.find_last_not_of(blanks) + 1 - begin);
}

}  // namespace

Fetch::Fetch(const Settings& settings)
    : settings_(settings),
      items_(settings.concurrency),
      downloads_(settings_),
      rows_(settings.jsonl) {
    for (std::uint32_t i = 0; i < 2 * settings.concurrency + 1; ++i) free_slots_.try_put(i);
}

std::span<char> Fetch::slot(std::uint32_t index) {
    return std::span(slot_storage_).subspan(index * url_bytes_max, url_bytes_max);
}

Task<int> Fetch::run() {
    auto clean_up = [this](ringlet::Outcome outcome) { return finish(outcome); };
    const auto done = co_await attempt(ringlet::finally(work(), clean_up));
    co_return failures_.exit_status(done, counts_.failed == 0 && !list_failed_);
}

// The folder comes first: what cannot be kept shall not be asked for.
Task<void> Fetch::work() {
    if (!settings_.output.empty()) {
        const auto prepared = co_await attempt(prepare_folder());
        if (!prepared) {
            failures_.note_output(settings_.output, prepared.error());
            co_return;
        }
    }
    began_ = ringlet::scheduler().now();
    co_await stages();
}

// Makes the folder if need be, such that it survives a power cut, as the files in it shall; and a
// file in it, to see that it can be done.
Task<void> Fetch::prepare_folder() {
    const char* const folder = settings_.output.data();
    const auto made = co_await attempt(ringlet::make_folder(folder));
    if (!made && made.error() != std::errc::file_exists) {
        // A folder that is there may stand where none can be made.
        const auto status = co_await attempt(ringlet::file_status(folder));
        if (!status) co_await ringlet::fail(made.error());
    }
    if (made) co_await ringlet::sync_name(folder);
    ringlet::FixedText<ringlet::AtomicFile::path_bytes_max + 1> path;
    path.append(settings_.output);
    path.append("/probe");
    co_await ringlet::with(ringlet::AtomicFile::open(path.c_str()),
                           [](ringlet::AtomicFile&) -> Task<void> { co_return; });
}

Task<void> Fetch::stages() {
    co_await ringlet::TaskGroup::run([&](ringlet::TaskGroup& group) -> Task<void> {
        auto self = std::ref(*this);
        auto writing = group.spawn(&Fetch::write, self).named("write");
        auto progress = group.spawn(&Fetch::show_progress, self).named("progress");
        co_await ringlet::TaskGroup::run([&](ringlet::TaskGroup& workers) -> Task<void> {
            const std::span<std::byte> buffers = body_buffers_;
            for (std::uint32_t i = 0; i < settings_.concurrency; ++i) {
                const auto own = buffers.subspan(i * body_read_bytes, body_read_bytes);
                workers.spawn(&Fetch::download, self, own).named("download");
            }
            co_await read();
            items_.close();
        });
        rows_.close();
        co_await writing.join();
        progress.cancel();
    });
}

Task<void> Fetch::read() {
    for (const char* const url : settings_.urls) co_await take_url(url, 0);
    if (settings_.urls_from.empty()) co_return;
    const auto done = co_await attempt(read_list());
    if (done) co_return;
    list_failed_ = true;
    failures_.note(settings_.urls_from, done.error());
}

Task<void> Fetch::read_list() {
    if (settings_.urls_from == "-") {
        auto input = ringlet::standard_input();
        co_return co_await read_lines(input);
    }
    auto file = co_await ringlet::File::open(settings_.urls_from.data());
    co_await read_lines(file);
}

template <class Source>
Task<void> Fetch::read_lines(Source& source) {
    ringlet::LineReader lines(source, list_buffer_, {.line_bytes_max = url_bytes_max});
    for (;;) {
        const auto line = co_await attempt(lines.next());
        if (!line && line.error() != ringlet::line_too_long) co_await ringlet::fail(line.error());
        if (line && !*line) co_return;
        if (!line) {
            co_await refuse_url(lines.line_number());
            continue;
        }
        const auto url = trimmed(**line);
        if (!url.empty() && !url.starts_with('#')) co_await take_url(url, lines.line_number());
    }
}

// Copies a URL to a free slot, and passes that on.
Task<void> Fetch::take_url(std::string_view url, std::uint64_t line) {
    if (url.size() > url_bytes_max) co_return co_await refuse_url(line);
    const std::uint64_t number = ++counts_.urls;
    const auto index = co_await free_slots_.get();
    std::ranges::copy(url, slot(*index).begin());
    co_await items_.put(Item{number, *index, static_cast<std::uint32_t>(url.size())});
}

// There is no room for all of it, so its row tells the line instead.
Task<void> Fetch::refuse_url(std::uint64_t line) {
    ++counts_.urls;
    add_row({.line = line, .error = http::make_error(http::Reason::url_bytes, http::Step::none)});
    co_await rows_.wait_for_room();
}

// One of N side by side.
Task<void> Fetch::download(std::span<std::byte> buffer) {
    for (;;) {
        const auto item = co_await items_.get();
        if (!item) co_return;
        co_await download_one(*item, buffer);
        co_await rows_.wait_for_room();
    }
}

// Nothing is awaited between the end of the last attempt and the row, so a cancellation loses none.
Task<void> Fetch::download_one(const Item& item, std::span<std::byte> buffer) {
    Job job({slot(item.slot).data(), item.size}, buffer);
    if (!settings_.output.empty()) {
        job.path.append(settings_.output);
        job.path.append('/');
        job.name_at = job.path.size();
        append_file_name(job.path, item.number, job.url);
    }
    const ringlet::Instant began = ringlet::scheduler().now();
    const auto had = co_await attempt(downloads_.get(job));
    const ringlet::Instant ended = ringlet::scheduler().now();
    const auto span = static_cast<double>(ended - began - job.in_line.count());
    counts_.retries += std::max(job.progress.attempt, 1U) - 1;  // 0: there was no frame for any
    add_row({.url = job.url,
             .status = job.status,
             .bytes = job.bytes,
             .ms = span / 1e6,
             .attempts = job.progress.attempt,
             .file = had ? job.file() : std::string_view(),
             .error = had ? ringlet::Error() : had.error()});
    free_slots_.try_put(item.slot);
}

void Fetch::add_row(const Row& row) {
    counts_.bytes += row.bytes;
    ++(row.error == ringlet::Error() ? counts_.ok : counts_.failed);
    rows_.add(row);
}

// At once after a pause; in the thick of it, what has gathered since the write before.
Task<void> Fetch::write() {
    ringlet::Deadline next = ringlet::Deadline::after(ringlet::Nanoseconds::zero());
    for (;;) {
        co_await rows_.wait_for_news();
        if (!rows_.is_closed()) co_await ringlet::sleep_until(next);
        if (rows_.is_empty()) co_return;
        const auto written = co_await attempt(ringlet::shield(write_rows()));
        if (!written) {
            failures_.note_standard_output(written.error());
            co_await ringlet::fail(written.error());
        }
        next = ringlet::Deadline::after(write_interval);
    }
}

// On a terminal the progress line makes way for them.
Task<void> Fetch::write_rows() {
    if (progress_ && ringlet::standard_output().is_terminal()) {
        co_await ringlet::say(progress_->erase());
    }
    co_await rows_.write();
}

Task<void> Fetch::show_progress() {
    const std::uint64_t total = settings_.urls_from.empty() ? settings_.urls.size() : 0;
    const auto numbers = [this, total] {
        return ringlet::ProgressNumbers{.done = counts_.ok + counts_.failed,
                                        .total = total,
                                        .failed = counts_.failed};
    };
    co_await ringlet::show_progress(progress_, "fetch", numbers);
}

}  // namespace fetch
