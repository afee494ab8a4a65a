// Reads at random places of a file, many under way.
#include "coroutines.hpp"

#include <sys/stat.h>

using namespace ringlet;

namespace {

struct alignas(bench::Offsets::block) Block {
    std::byte bytes[bench::Offsets::block];
};
Block blocks[bench::reads_under_way];

struct Reading {
    File file;
    bench::Offsets offsets;
    bench::Latencies latencies;
    std::int64_t left = 0;
};

Task<void> read_often(Reading& reading, Block& block) {
    while (reading.left-- > 0) {
        const auto offset = static_cast<std::uint64_t>(reading.offsets.next());
        const bench::Nanoseconds begin = bench::now();
        const std::size_t count = co_await reading.file.read_at(offset, block.bytes);
        if (count != sizeof block.bytes) co_await fail(std::errc::io_error);
        reading.latencies.add(bench::now() - begin);
    }
}

Task<void> app(const bench::Arguments& arguments) {
    const auto direct = static_cast<OpenMode>(arguments.number("direct", 0) != 0 ? O_DIRECT : 0);
    auto file = co_await File::open(arguments.text("path", ""), OpenMode::read | direct);
    const auto status = co_await file.status();
    Reading reading{std::move(file), bench::Offsets(static_cast<std::int64_t>(status.bytes)),
                    bench::Latencies()};
    const auto work = [&](std::int64_t ops) -> Task<void> {
        reading.left = ops;
        const auto body = [&](TaskGroup& group) -> Task<void> {
            for (Block& block : blocks) group.spawn(read_often, std::ref(reading), std::ref(block));
            co_return;
        };
        co_await TaskGroup::run(body);
    };
    co_await bench::measure("file_read", arguments.number("ops", 500'000), work,
                            &reading.latencies);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
