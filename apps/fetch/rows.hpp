// Rows: what came of each URL, as JSON Lines or as a table, on its way to standard output.
//
//   add() ----> [ what is gathered ]  --turn-->  [ what is written ] ----> standard output
//
// While one part is written the next ones gather, so the busier it is the more go in one write. A
// worker adds its row, and goes on when is_crowded() no longer holds: so a row never waits outside.
#pragma once

#include <settings.hpp>

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/error.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/task/task.hpp>

#include <array>

namespace fetch {

inline constexpr std::size_t url_bytes_max = 2048;

struct Row {
    std::string_view url;
    std::uint64_t line = 0;  // of a URL that is too long to be told, where it stood; or 0
    unsigned status = 0;     // 0: there was no response
    std::uint64_t bytes = 0;
    double ms = 0;  // all attempts and the pauses between them, but no wait in line
    unsigned attempts = 0;
    std::string_view file;  // where the body is; may be empty
    ringlet::Error error;   // Error(): all well
};

// Where in a request it failed: "url", "resolve", "connect", ..., "status", "file".
const char* step_name(ringlet::Error error);

class Rows {
public:
    explicit Rows(bool jsonl);
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;

    // There is room for a row of each worker and one more after is_crowded() began to hold.
    void add(const Row& row);
    bool is_crowded() const { return gathered().size() > crowded_bytes; }
    bool is_empty() const { return gathered().size() == 0; }

    // Waits until a row is there, or close() was called.
    ringlet::Event::Wait wait_for_news() { return news_.wait(); }
    // Waits while it is crowded.
    ringlet::Event::Wait wait_for_room() { return room_.wait(); }

    // Writes what is gathered. One at a time.
    //
    // Errors: the kernel's; the rows are lost.
    // Cancellation: any part may have been written.
    ringlet::Task<void> write();

    // No more rows will be added.
    void close();
    bool is_closed() const { return closed_; }

private:
    static constexpr std::size_t crowded_bytes = 32_KiB;
    // A URL all of whose characters are escaped, and the rest.
    static constexpr std::size_t row_bytes_max = 6 * url_bytes_max + 1_KiB;
    static constexpr std::size_t part_bytes =
        crowded_bytes + (concurrency_max + 2) * row_bytes_max;

    ringlet::TextBuffer& gathered() { return parts_[turn_]; }
    const ringlet::TextBuffer& gathered() const { return parts_[turn_]; }
    void add_line(const Row& row);
    void add_to_table(const Row& row);

    bool jsonl_;
    bool closed_ = false;
    unsigned turn_ = 0;
    ringlet::Event news_;
    ringlet::Event room_;
    std::array<ringlet::FixedText<part_bytes>, 2> parts_;  // touched as far as it is used
};

}  // namespace fetch
