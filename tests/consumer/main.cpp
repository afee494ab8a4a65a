// The smallest firmware: one coroutine, whose result is the exit status.

#include <ringlet/ringlet.hpp>

ringlet::Task<int> app() {
    using namespace std::chrono_literals;
    co_await ringlet::sleep(1ms);
    co_return 7;
}

int main() {
    return ringlet::run(app);
}
