// FaultRates: how often things go wrong in a simulated world, as the seed draws it.
//
//   Simulation simulation({.seed = 7, .faults = {.no_memory = 20, .resets = 5}});
//   Simulation soak({.seed = 7, .faults = FaultRates::everything(10)});
//
// Each rate is in per mille of what it can hit. An operation gets only what a kernel may give it;
// operation_faults.cpp says what that is, and where it is written. The operation is then not
// executed. Spared is what nobody can answer for: CLOSE (its descriptor is gone, whatever it
// says), ASYNC_CANCEL, TIMEOUT, NOP and SHUTDOWN, signals' and wakers' descriptors, and standard
// error, where tests look for what the program says. World::fail_next() spares nothing.
#pragma once

namespace ringlet::testing {

struct FaultRates {
    // ---- of operations: they end with an error ----
    unsigned interrupted = 0;     // EINTR, of those that may wait; and FSYNC
    unsigned again = 0;           // EAGAIN: with MSG_DONTWAIT, on terminals, on standard streams
    unsigned no_buffers = 0;      // ENOBUFS: datagrams, ACCEPT, CONNECT, provided buffers,
                                  // socket(2)
    unsigned no_memory = 0;       // ENOMEM
    unsigned io_errors = 0;       // EIO: files, terminals, standard input and output
    unsigned no_space = 0;        // ENOSPC: WRITE and FSYNC of files, OPENAT of a new one, MKDIRAT,
                                  // RENAMEAT
    unsigned no_descriptors = 0;  // EMFILE, ENFILE: OPENAT, ACCEPT, socket(2), pipe(2)
    unsigned accept_failures = 0;  // accept(2)'s own: ECONNABORTED, EPROTO, EPERM, ENFILE, ...

    // ---- of transfers on a connected TCP stream: what happens before them ----
    unsigned resets = 0;     // the connection breaks: ECONNRESET at both ends
    unsigned half_open = 0;  // each end is gone for the other, and nobody says so: what is sent is
                             // swallowed, nothing comes; only a time limit notices

    // ---- of cancels that found an operation waiting ----
    // -EALREADY; within cancel_span_max the operation ends by itself, or as interrupted.
    unsigned late_cancels = 0;

    // ---- of operations that succeeded ----
    // The completion is held back for up to cancel_span_max: a cancel meanwhile gets -EALREADY, and
    // the operation has succeeded nevertheless.
    unsigned cancelled_but_done = 0;
    // Of the completions of a multishot receive: the last one, without IORING_CQE_F_MORE.
    unsigned early_ends = 0;

    // ---- of calls of enter() ----
    // It returns early, and a part of the SQEs, or all, are not submitted.
    unsigned submission_failures = 0;

    // All of them, for soak tests. What breaks connections for good, and has no error to tell,
    // comes ten times less often.
    static constexpr FaultRates everything(unsigned per_mille) {
        return {.interrupted = per_mille,
                .again = per_mille,
                .no_buffers = per_mille,
                .no_memory = per_mille,
                .io_errors = per_mille,
                .no_space = per_mille,
                .no_descriptors = per_mille,
                .accept_failures = per_mille,
                .resets = per_mille,
                .half_open = (per_mille + 9) / 10,
                .late_cancels = per_mille,
                .cancelled_but_done = per_mille,
                .early_ends = per_mille,
                .submission_failures = per_mille};
    }
};

}  // namespace ringlet::testing
