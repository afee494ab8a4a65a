// The ring's self-test: whether a kernel's io_uring does what Ringlet asks of it.
//
// A kernel can have all that is asked for and be wrong in it, as some were on 32-bit ARM. So a few
// operations run through the very ring that the program will use, and each answer is looked at: its
// result, its bytes, all 64 bits of its user_data. The steps are those of SelfTestStep, in their
// order. Those about time come early, since the later ones count on sleeps that end: an answer that
// does not come is told after two seconds. Only a kernel in which neither a completion nor a time
// limit ends a sleep would hang the test.
#pragma once

#include <ringlet/ring/ring.hpp>
#include <ringlet/ring/system.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ringlet {

enum class SelfTestStep : std::uint8_t {
    nop,        // anything at all
    timeout,    // a completion ends a sleep
    wait,       // so does the sleep's own time limit
    pipe_read,  // parked until the write that follows it
    cancel,     // of a parked read
    poll,       // parked, too
    accept,     // of a Unix socket, whose name the kernel chose, and the connection to it
};
inline constexpr std::size_t self_test_steps = 7;

enum class SelfTestOutcome : std::uint8_t {
    not_tried,  // or given up for want of descriptors or memory
    passed,
    left_out,   // its pipe or socket is denied, by a sandbox: that says nothing about the ring
    failed,
};
using SelfTestReport = std::array<SelfTestOutcome, self_test_steps>;

// What was wrong in a step.
enum class SelfTestFault : std::uint8_t {
    entry,      // the system call failed; the error's code says how
    error,      // the operation did; the error's code says how
    result,     // it did not end as it must
    bytes,      // it read others than were written
    user_data,  // an answer that nobody waits for
    late,       // the answer is right, but the sleep ended by its other end
    no_answer,
};

// An error of Domain::self_test is made of these, and gives them back.
constexpr Error self_test_error(SelfTestStep step, SelfTestFault fault, std::errc code) {
    const unsigned detail = static_cast<unsigned>(fault) << 8 | static_cast<unsigned>(step);
    return {code, Domain::self_test, static_cast<std::uint16_t>(detail)};
}
constexpr SelfTestStep step_of(Error error) {
    return static_cast<SelfTestStep>(error.detail() & 0xFF);
}
constexpr SelfTestFault fault_of(Error error) {
    return static_cast<SelfTestFault>(error.detail() >> 8);
}

// "pipe read". Static text, never null.
const char* text(SelfTestStep step);
// "no answer", or the words of the error's code. The same.
const char* text_of_fault(Error error);

// Runs the steps up to the first that fails; `report` gets what came of each. Needs three
// descriptors at once, and leaves none open, unless the answer that names one was lost. After an
// error operations may be in flight, so the ring must be closed and not entered again; else none
// is.
//
// Errors: Domain::self_test; or the kernel's, for want of descriptors or memory.
Result<void> run_self_test(Ring& ring, System& system, SelfTestReport& report);

}  // namespace ringlet
