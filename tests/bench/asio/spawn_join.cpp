#include "asio.hpp"

using namespace bench;

static Awaitable<int> one() {
    co_return 1;
}

static Awaitable<> spawns(Executor executor, std::int64_t count) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < count; i++) {
        // Asio 1.81 cannot co_await a deferred co_spawn that returns something.
        sum += co_await asio::co_spawn(executor, one(), use_awaitable);
    }
    keep(sum);
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    measure("spawn_join", arguments.number("ops", 1'000'000), nullptr,
            [](Executor executor, std::int64_t ops) { spawn(executor, spawns(executor, ops)); });
}
