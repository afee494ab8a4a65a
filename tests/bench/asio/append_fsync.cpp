// Asio has no asynchronous fsync; sync_all() blocks, which costs nothing here, with one task.
#include <array>

#include "asio.hpp"

using namespace bench;

using File = asio::basic_stream_file<Executor>;

static Awaitable<> append(Executor executor, const char* path, std::int64_t count,
                          Latencies& latencies) {
    File file(executor, path, File::write_only | File::create | File::truncate | File::append);
    const std::array<char, 4096> block{};
    for (; count > 0; count--) {
        const Nanoseconds begin = now();
        co_await asio::async_write(file, asio::buffer(block), deferred);
        file.sync_all();
        latencies.add(now() - begin);
    }
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const char* const path = arguments.text("path", "bench.log");
    Latencies latencies;
    measure("append_fsync", arguments.number("ops", 2000), &latencies,
            [&](Executor executor, std::int64_t ops) {
                spawn(executor, append(executor, path, ops, latencies));
            });
}
