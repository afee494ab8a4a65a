// Appends and syncs, one after the other.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

std::byte block[4096];

Task<void> app(const bench::Arguments& arguments) {
    auto file = co_await File::open(arguments.text("path", ""),
                                    OpenMode::replace | OpenMode::append);
    bench::Latencies latencies;
    const auto work = [&](std::int64_t ops) -> Task<void> {
        for (; ops > 0; --ops) {
            const bench::Nanoseconds begin = bench::now();
            co_await file.write_all(block);
            co_await file.sync();
            latencies.add(bench::now() - begin);
        }
    };
    co_await bench::measure("append_fsync", arguments.number("ops", 2000), work, &latencies);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
