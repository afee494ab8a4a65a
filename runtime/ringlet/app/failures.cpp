#include <ringlet/app/failures.hpp>

#include <ringlet/app/exit_status.hpp>
#include <ringlet/base/log.hpp>

namespace ringlet {

void Failures::note(std::string_view name, Error error, std::uint64_t after_line) {
    FixedText<256> shown;
    shown.append_printable(name);
    lines_.format("%s: %s", program_, shown.c_str());
    if (after_line > 0) {
        lines_.format(": after line %llu", static_cast<unsigned long long>(after_line));
    }
    lines_.format(": %s\n", text(error));
}

void Failures::note_output(std::string_view name, Error error) {
    output_failed_ = true;
    note(name, error);
}

void Failures::note_standard_output(Error error) {
    if (error == std::errc::broken_pipe) {
        reader_has_left_ = true;
    } else {
        note_output("standard output", error);
    }
}

int Failures::exit_status(const Result<void>& done, bool all_well) const {
    if (!done && !output_is_lost()) {
        log::error("%s: %s", program_, text(done.error()));
        return exit_status::some_failed;
    }
    return all_well && !output_failed_ ? exit_status::ok : exit_status::some_failed;
}

}  // namespace ringlet
