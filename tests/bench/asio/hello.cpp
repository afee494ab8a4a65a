#include "asio.hpp"

using namespace bench;

static Awaitable<> hello(Executor executor) {
    Timer timer(executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(deferred);
    std::puts("hello");
}

int main() {
    asio::io_context context(1);
    spawn(context.get_executor(), hello(context.get_executor()));
    context.run();
}
