// The loops around READ and WRITE.
#include <ringlet/io/transfer.hpp>

#include <ringlet/io/poll.hpp>
#include <ringlet/task/attempt.hpp>

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
    while (!from.empty()) {
        const auto count = co_await attempt(WriteOperation(descriptor, from, offset));
        if (!count) {
            const Error why = count.error();
            if (why != std::errc::resource_unavailable_try_again) co_await fail(why);
            co_await poll(descriptor, POLLOUT);
            continue;
        }
        // A device that takes nothing and says no error would keep us here for ever.
        if (*count == 0) co_await fail(std::errc::io_error);
        from = from.subspan(*count);
        if (offset != at_position) offset += *count;
    }
}

}  // namespace ringlet
