#include "asio.hpp"

using namespace bench;
using namespace asio::experimental::awaitable_operators;

static Awaitable<int> number(int value) {
    co_await asio::post(deferred);
    co_return value;
}

static Awaitable<> gathers(std::int64_t count) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < count; i++) {
        const auto [left, right] = co_await (number(1) && number(2));
        sum += left + right;
    }
    keep(sum);
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    measure("gather", arguments.number("ops", 300'000), nullptr,
            [](Executor executor, std::int64_t ops) { spawn(executor, gathers(ops)); });
}
