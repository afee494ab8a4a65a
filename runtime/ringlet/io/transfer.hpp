// READ and WRITE: what files, pipes and the standard streams share.
#pragma once

#include <ringlet/io/descriptor.hpp>
#include <ringlet/task/awaiter.hpp>
#include <ringlet/task/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringlet {

// The offset that means "at the file's position, which moves on"; the only one for streams.
inline constexpr std::uint64_t at_position = ~std::uint64_t{0};

// The kernel moves no more in one operation (read(2), "NOTES").
inline constexpr std::size_t transfer_bytes_max = 0x7ffff000;

template <class Byte>
unsigned transfer_size(std::span<Byte> bytes) {
    return static_cast<unsigned>(std::min(bytes.size(), transfer_bytes_max));
}

class [[nodiscard]] ReadOperation : public OperationOf<ReadOperation, std::size_t> {
public:
    static constexpr const char* reason = "read";

    ReadOperation(int descriptor, std::span<std::byte> into, std::uint64_t offset)
        : descriptor_(descriptor), into_(into), offset_(offset) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_read(&sqe, descriptor_, into_.data(), transfer_size(into_), offset_);
    }
    std::size_t value(int result) const { return static_cast<std::size_t>(result); }

private:
    int descriptor_;
    std::span<std::byte> into_;
    std::uint64_t offset_;
};

class [[nodiscard]] WriteOperation : public OperationOf<WriteOperation, std::size_t> {
public:
    static constexpr const char* reason = "write";

    // flags: of pwritev2(2).
    WriteOperation(int descriptor, std::span<const std::byte> from, std::uint64_t offset,
                   int flags = 0)
        : descriptor_(descriptor), flags_(flags), from_(from), offset_(offset) {}
    void prepare(io_uring_sqe& sqe) const {
        ::io_uring_prep_write(&sqe, descriptor_, from_.data(), transfer_size(from_), offset_);
        sqe.rw_flags = flags_;
    }
    std::size_t value(int result) const { return static_cast<std::size_t>(result); }

private:
    int descriptor_;
    int flags_;
    std::span<const std::byte> from_;
    std::uint64_t offset_;
};

// Reads once. If the descriptor is O_NONBLOCK and has nothing (EAGAIN), waits until it has.
// After the bytes have come nothing is awaited any more, so a time limit never loses them.
Task<std::size_t> read_or_wait(int descriptor, std::span<std::byte> into);

// Writes until all is written, waiting for room where the descriptor is O_NONBLOCK. At the position
// of a file, what follows a short write goes to the file's end: the position is not to be trusted
// then.
Task<void> write_everything(int descriptor, std::span<const std::byte> from,
                            std::uint64_t offset = at_position);

}  // namespace ringlet
