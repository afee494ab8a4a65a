#include "asio.hpp"

using namespace bench;

static Awaitable<> yields(std::int64_t count) {
    for (; count > 0; count--) co_await asio::post(deferred);
}

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::int64_t coroutines = arguments.number("coroutines", 1);
    measure("yield", arguments.number("ops", 5'000'000), nullptr,
            [&](Executor executor, std::int64_t ops) {
                for (std::int64_t i = 0; i < coroutines; i++) {
                    spawn(executor, yields(part(ops, coroutines, i)));
                }
            });
}
