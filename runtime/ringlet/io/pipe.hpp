// Pipe: bytes from one end to the other; between processes, or within one.
//
// Buffers belong to the caller and outlive the await. Errors are the kernel's. One await at a time
// on each end. A destroyed end is closed in the background.
#pragma once

#include <ringlet/io/close.hpp>
#include <ringlet/io/transfer.hpp>

namespace ringlet {

class PipeReader {
public:
    // For those who make descriptors.
    explicit PipeReader(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    // Reads what is there, or waits for something; 0 once the writing end is closed and all read.
    //
    // Cancellation: nothing was read, or all that was is given.
    // Source: pipe(7), read(2).
    ReadOperation read(std::span<std::byte> into) {
        return ReadOperation(descriptor_.get(), into, at_position);
    }

    // Cancellation: the end is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    bool is_open() const { return descriptor_.is_open(); }
    int descriptor() const { return descriptor_.get(); }

private:
    Descriptor descriptor_;
};

class PipeWriter {
public:
    explicit PipeWriter(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    // Writes what there is room for, or waits for room; gives how much. At most PIPE_BUF bytes
    // (4096) are written as a whole.
    //
    // Errors: broken_pipe if the reading end is closed.
    // Cancellation: nothing was written, or what was is given.
    // Source: pipe(7), write(2).
    WriteOperation write(std::span<const std::byte> from) {
        return WriteOperation(descriptor_.get(), from, at_position);
    }
    // Writes all. Errors, cancellation: any part may have been written.
    Task<void> write_all(std::span<const std::byte> from) {
        return write_everything(descriptor_.get(), from);
    }

    // The reader's end of the stream.
    //
    // Cancellation: the end is closed in the background.
    // Source: close(2).
    Close close() { return Close(descriptor_); }

    bool is_open() const { return descriptor_.is_open(); }
    int descriptor() const { return descriptor_.get(); }

private:
    Descriptor descriptor_;
};

// Both ends; move them to whom they are for.
struct Pipe {
    // Makes a pipe, with O_CLOEXEC. Synchronous.
    //
    // Errors: the kernel's; too_many_files_open with RuntimeDetail::descriptors at
    // Limits::descriptors, of which it takes two.
    // Source: pipe(2).
    static Result<Pipe> open();

    // A constructor, since GCC before 14 destroys an aggregate twice in a co_await.
    Pipe(PipeReader reading, PipeWriter writing)
        : reader(std::move(reading)), writer(std::move(writing)) {}

    PipeReader reader;
    PipeWriter writer;
};

}  // namespace ringlet
