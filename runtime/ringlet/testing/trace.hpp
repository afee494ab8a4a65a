// Trace: what a ring completed and when, as a hash, and as text for who wants to read or compare
// two runs.
//
//   17 0.005000000 recv 5: 12 more buffer 3
//   |  |           |    |  |  flags, if any
//   |  |           |    |  the result: a count, or a negative errno
//   |  |           |    the descriptor, as the SQE has it
//   |  |           the opcode
//   |  virtual time in seconds, on the monotonic clock
//   the operation, numbered in the order of submission
#pragma once

#include <ringlet/base/clock.hpp>

#include <cstdint>
#include <string_view>

namespace ringlet::testing {

// Gets each line without its newline; the line is valid during the call. It must not allocate.
using TraceSink = void (*)(std::string_view line, void* context);

struct TraceEntry {
    std::uint64_t number;
    Instant when;
    int opcode;
    int descriptor;
    int result;
    unsigned flags;
};

void write_line(const TraceEntry& entry, TraceSink sink, void* context);

class Trace {
public:
    void note(const TraceEntry& entry);
    std::uint64_t hash() const { return hash_; }

private:
    void mix(std::uint64_t value);

    std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a's offset basis
};

}  // namespace ringlet::testing
