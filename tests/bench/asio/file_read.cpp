// An Asio file has one read under way at a time and keeps the others waiting; so each reader has a
// file object of its own.
#include <memory>

#include "../common/files.hpp"
#include "asio.hpp"

using namespace bench;

using File = asio::basic_random_access_file<Executor>;

struct Reads {
    const char* path;
    int flags;
    Offsets offsets;
    Latencies& latencies;
    std::int64_t left = 0;
};

static Awaitable<> reader(Executor executor, Reads& reads) {
    File file(executor, open_or_exit(reads.path, reads.flags));  // File itself knows no O_DIRECT
    const auto block = std::make_unique<Block>();
    while (reads.left > 0) {
        reads.left--;
        const auto offset = static_cast<std::uint64_t>(reads.offsets.next());
        const Nanoseconds begin = now();
        co_await asio::async_read_at(file, offset, asio::buffer(block->bytes), deferred);
        reads.latencies.add(now() - begin);
    }
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const char* const path = arguments.text("path", "bench.data");
    const int direct = arguments.number("direct", 0) != 0 ? O_DIRECT : 0;
    Latencies latencies;
    Reads reads{path, O_RDONLY | direct, Offsets(file_bytes(path)), latencies};
    measure("file_read", arguments.number("ops", 200'000), &latencies,
            [&](Executor executor, std::int64_t ops) {
                reads.left = ops;
                for (int i = 0; i < reads_under_way; i++) spawn(executor, reader(executor, reads));
            });
}
