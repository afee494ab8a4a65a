// Where results go: a file that is replaced at the end, or standard output.
#pragma once

#include <windows.hpp>

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/units.hpp>
#include <ringlet/io/atomic_file.hpp>

#include <array>
#include <optional>

namespace pipeline {

using namespace ringlet::literals;

// Rows are gathered in memory and written in large pieces.
class Output {
public:
    explicit Output(bool jsonl) : jsonl_(jsonl) {}

    // Opens the temporary of `path`, a string that outlives this; null: standard output.
    ringlet::Task<void> open(const char* path);

    // Adds a row, in memory. There is room unless is_full(): then flush() first.
    void add(const WindowResult& result);
    bool is_file() const { return file_.has_value(); }
    bool is_full() const { return buffer_.size() + row_bytes_max > buffer_bytes; }

    // Writes the rows that are in memory, to the end, also under cancellation: a row is out once,
    // or not at all.
    ringlet::Task<void> flush();

    // Writes what is left, and puts the file in its place.
    ringlet::Task<void> finish();
    // Removes the temporary.
    ringlet::Task<void> abandon();

    std::uint64_t rows() const { return rows_; }

private:
    static constexpr std::size_t buffer_bytes = 32_KiB;
    static constexpr std::size_t row_bytes_max = 768;

    ringlet::Task<void> write_buffer();

    bool jsonl_;
    std::optional<ringlet::AtomicFile> file_;
    std::uint64_t rows_ = 0;
    ringlet::FixedText<buffer_bytes> buffer_;
};

}  // namespace pipeline
