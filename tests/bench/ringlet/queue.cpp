// Items through a bounded queue.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

using Items = Queue<bench::Item, bench::queue_places>;
Items items;

Task<void> produce(std::int64_t count) {
    for (; count > 0; --count) {
        const bench::Item item(static_cast<std::uint64_t>(count));
        co_await items.put(item);
    }
}

Task<void> consume(std::int64_t count) {
    std::uint64_t sum = 0;
    for (; count > 0; --count) {
        const auto item = co_await items.get();
        sum += item->words[0];
    }
    bench::keep(sum);
}

Task<void> app(const bench::Arguments& arguments) {
    const std::int64_t producers = arguments.number("producers", 1);
    const std::int64_t consumers = arguments.number("consumers", 1);
    const auto work = [&](std::int64_t ops) -> Task<void> {
        co_await gather(bench::run_many(producers, produce, ops / producers),
                        bench::run_many(consumers, consume, ops / consumers));
    };
    co_await bench::measure("queue", arguments.number("ops", 10'000'000), work);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
