// The loops around READ and WRITE.
#include <ringlet/io/transfer.hpp>

#include <ringlet/io/poll.hpp>
#include <ringlet/task/attempt.hpp>

#include <sys/uio.h>

namespace ringlet {

Task<std::size_t> read_or_wait(int descriptor, std::span<std::byte> into) {
    for (;;) {
        const auto count = co_await attempt(ReadOperation(descriptor, into, at_position));
        if (count) co_return *count;
        const Error why = count.error();
        if (why != std::errc::resource_unavailable_try_again) co_await fail(why);
        co_await poll(descriptor, POLLIN);
    }
}

Task<void> write_everything(int descriptor, std::span<const std::byte> from,
                            std::uint64_t offset) {
    int flags = 0;
    while (!from.empty()) {
        const auto count = co_await attempt(WriteOperation(descriptor, from, offset, flags));
        if (!count) {
            const Error why = count.error();
            if (why != std::errc::resource_unavailable_try_again) co_await fail(why);
            co_await poll(descriptor, POLLOUT);
            continue;
        }
        // A device that takes nothing and says no error would keep us here for ever.
        if (*count == 0) co_await fail(std::errc::io_error);
        // After a short write io_uring leaves a file's position where it was (seen on Linux 6.18:
        // the disk was full), so the rest would overwrite the part. Pipes and terminals do not
        // mind.
        if (offset == at_position && *count < transfer_size(from)) flags = RWF_APPEND;
        from = from.subspan(*count);
        if (offset != at_position) offset += *count;
    }
}

}  // namespace ringlet
