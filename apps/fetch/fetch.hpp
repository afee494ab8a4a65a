// Fetch: URLs in, rows and files out.
//
//   operands, then lines --items--> download x N --rows--> write
//
// A URL waits in one of a fixed number of slots; the queue carries its number. Rows come in the
// order in which URLs end.
#pragma once

#include <download.hpp>
#include <file_name.hpp>
#include <rows.hpp>
#include <settings.hpp>

#include <ringlet/app/failures.hpp>
#include <ringlet/app/progress.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/task/task.hpp>

#include <array>
#include <optional>

namespace fetch {

struct Counts {
    std::uint64_t urls = 0;     // that were read
    std::uint64_t ok = 0;
    std::uint64_t failed = 0;
    std::uint64_t bytes = 0;    // of bodies, as the rows tell
    std::uint64_t retries = 0;

    std::uint64_t undone() const { return urls - ok - failed; }
};

// The longest path of a folder for bodies.
inline constexpr std::size_t folder_bytes_max =
    ringlet::AtomicFile::path_bytes_max - 1 - file_name_bytes_max;

class Fetch {
public:
    // Inside run(). The strings of `settings` outlive it, and are zero-terminated.
    explicit Fetch(const Settings& settings);

    // GETs all URLs. Gives 0, or 1 if something failed, which is said in its row or on standard
    // error. A broken pipe at standard output ends it quietly.
    //
    // Cancellation: requests under way are broken off and leave no file; the rows of those that had
    // ended are written; how many were left undone is said.
    ringlet::Task<int> run();

    const Counts& counts() const { return counts_; }
    const ringlet::http::PoolCounters& connections() const { return downloads_.connections(); }

private:
    struct Item {
        std::uint64_t number = 0;  // of the URL, from 1
        std::uint32_t slot = 0;
        std::uint32_t size = 0;
    };

    static constexpr std::size_t slots_max = 2 * concurrency_max + 1;
    static constexpr std::size_t body_read_bytes = 16_KiB;  // at a time
    static constexpr std::size_t list_read_bytes = 16_KiB;
    static constexpr std::size_t message_bytes = 4_KiB;
    // What gathers in this time goes in one write.
    static constexpr std::chrono::milliseconds write_interval{10};

    ringlet::Task<void> work();
    ringlet::Task<void> prepare_folder();
    ringlet::Task<void> stages();
    ringlet::Task<void> read();
    ringlet::Task<void> read_list();
    template <class Source>
    ringlet::Task<void> read_lines(Source& source);
    ringlet::Task<void> take_url(std::string_view url, std::uint64_t line);
    ringlet::Task<void> refuse_url(std::uint64_t line);
    ringlet::Task<void> download(std::span<std::byte> buffer);
    ringlet::Task<void> download_one(const Item& item, std::span<std::byte> buffer);
    ringlet::Task<void> write();
    ringlet::Task<void> write_rows();
    ringlet::Task<void> show_progress();
    ringlet::Task<void> finish(ringlet::Outcome outcome);
    ringlet::Task<void> write_summary(ringlet::Outcome outcome);

    void add_row(const Row& row);
    void begin_message();
    std::span<char> slot(std::uint32_t index);
    void append_summary_line(double seconds);
    void append_summary_text(double seconds);

    Settings settings_;
    Counts counts_;
    std::optional<ringlet::Instant> began_;  // the first stage
    bool list_failed_ = false;

    ringlet::Queue<std::uint32_t, slots_max> free_slots_;
    ringlet::Queue<Item, concurrency_max> items_;
    Downloads downloads_;
    Rows rows_;
    ringlet::Failures failures_{"fetch"};
    ringlet::FixedText<message_bytes> message_;  // what finish() is about to write
    std::optional<ringlet::ProgressLine> progress_;
    // Touched as far as the settings need them.
    std::array<char, slots_max * url_bytes_max> slot_storage_;
    std::array<char, url_bytes_max + list_read_bytes> list_buffer_;
    std::array<std::byte, concurrency_max * body_read_bytes> body_buffers_;
};

}  // namespace fetch
