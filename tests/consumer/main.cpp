// The smallest firmware: one coroutine, whose result is the exit status. With an argument it
// allocates while it runs, which is against the rule.

#include <ringlet/ringlet.hpp>

#include <memory>

std::unique_ptr<int> kept;

ringlet::Task<int> app(bool allocates) {
    using namespace std::chrono_literals;
    co_await ringlet::sleep(1ms);
    if (allocates) kept = std::make_unique<int>(1);
    co_return 7;
}

int main(int count, char**) {
    return ringlet::run(app, count > 1);
}
