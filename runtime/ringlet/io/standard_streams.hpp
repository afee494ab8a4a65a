// Standard input, output and error, as the process was given them.
//
// They are borrowed: never closed, and not counted in Limits::descriptors. Whoever shares them may
// have made them O_NONBLOCK; then a read or write that finds no data or room waits by poll. Buffers
// belong to the caller and outlive the await. Errors are the kernel's.
#pragma once

#include <ringlet/io/transfer.hpp>

namespace ringlet {

class InputStream {
public:
    explicit InputStream(int descriptor) : descriptor_(descriptor) {}

    // Reads what is there, or waits for something: from a terminal a line. 0 at the end.
    //
    // Cancellation: nothing was read, or all that was is given.
    // Source: read(2), io_uring_prep_read(3).
    Task<std::size_t> read(std::span<std::byte> into) { return read_or_wait(descriptor_, into); }

    bool is_terminal() const { return scheduler().system().is_terminal(descriptor_); }
    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

class OutputStream {
public:
    explicit OutputStream(int descriptor) : descriptor_(descriptor) {}

    // Writes all. One at a time, or lines mix.
    //
    // Errors: broken_pipe if nobody reads any more (run() ignores SIGPIPE), no_space_on_device, ...
    // Cancellation: any part may have been written.
    // Source: write(2), io_uring_prep_write(3).
    Task<void> write_all(std::span<const std::byte> from) {
        return write_everything(descriptor_, from);
    }

    bool is_terminal() const { return scheduler().system().is_terminal(descriptor_); }
    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

inline InputStream standard_input() {
    return InputStream(0);
}
inline OutputStream standard_output() {
    return OutputStream(1);
}
// The log writes there, too, at times of its own.
inline OutputStream standard_error() {
    return OutputStream(2);
}

}  // namespace ringlet
