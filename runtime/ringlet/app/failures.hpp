// Failures: what went wrong outside the items that a program works on, told at its end.
//
//   Task<int> Copy::run() {
//       auto clean_up = [this](Outcome outcome) { return finish(outcome); };
//       const auto done = co_await attempt(finally(work(), clean_up));
//       co_return failures_.exit_status(done, counts_.failed == 0);
//   }
//
// The loss of the output ends the work, which then fails with the output's error: that is told
// once, here. A reader of standard output that leaves, as `head` does, has seen enough: no failure.
#pragma once

#include <ringlet/app/text_buffer.hpp>
#include <ringlet/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringlet {

// What all notes of a program take; those beyond are cut.
inline constexpr std::size_t failures_bytes = 1024;

class Failures {
public:
    // `program`: its name, static text.
    explicit Failures(const char* program) : program_(program) {}

    // Adds "PROGRAM: NAME: what the error means"; with the last line that came, if it is not 0. Of
    // a long name, the beginning.
    void note(std::string_view name, Error error, std::uint64_t after_line = 0);

    // The same, of an output: it is lost from now on.
    void note_output(std::string_view name, Error error);
    // The same, of standard output. A broken pipe is no failure, and adds nothing.
    void note_standard_output(Error error);

    bool reader_has_left() const { return reader_has_left_; }
    // Nothing more can be written there, or nobody reads it.
    bool output_is_lost() const { return output_failed_ || reader_has_left_; }

    // The lines that were added, for standard error at the end. (The log's lines would stand among
    // the program's own.)
    std::string_view lines() const { return lines_.view(); }

    // The program's status: ok if `all_well` and no output has failed. An error that ended the work
    // makes it some_failed, and is logged; unless the output is lost, which says why it ended.
    int exit_status(const Result<void>& done, bool all_well) const;

private:
    const char* program_;
    bool output_failed_ = false;
    bool reader_has_left_ = false;
    FixedText<failures_bytes> lines_;
};

}  // namespace ringlet
