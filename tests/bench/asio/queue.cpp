// A channel; at once where there is a place or an item, else by waiting.
#include <memory>

#include "asio.hpp"

using namespace bench;

using Items = Channel<void(error_code, Item)>;

static Awaitable<> produce(std::shared_ptr<Items> items, std::int64_t count) {
    for (std::int64_t i = 0; i < count; i++) {
        const Item item(static_cast<std::uint64_t>(i));
        if (!items->try_send(error_code(), item)) {
            co_await items->async_send(error_code(), item, deferred);
        }
    }
}

static Awaitable<> consume(std::shared_ptr<Items> items, std::int64_t count) {
    std::uint64_t sum = 0;
    for (; count > 0; count--) {
        if (!items->try_receive([&](error_code, const Item& item) { sum += item.words[0]; })) {
            const Item item = co_await items->async_receive(deferred);
            sum += item.words[0];
        }
    }
    keep(sum);
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t producers = arguments.number("producers", 1);
    const std::int64_t consumers = arguments.number("consumers", 1);
    measure("queue", arguments.number("ops", 2'000'000), nullptr,
            [&](Executor executor, std::int64_t ops) {
                const auto items = std::make_shared<Items>(executor, queue_places);
                for (std::int64_t i = 0; i < consumers; i++) {
                    spawn(executor, consume(items, part(ops, consumers, i)));
                }
                for (std::int64_t i = 0; i < producers; i++) {
                    spawn(executor, produce(items, part(ops, producers, i)));
                }
            });
}
