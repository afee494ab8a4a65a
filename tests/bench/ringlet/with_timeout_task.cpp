// Tasks with a time limit on a coroutine that ends in time.
#include "coroutines.hpp"

using namespace ringlet;
using namespace std::chrono_literals;

namespace {

Task<void> yield_once() {
    co_await yield();
}

Task<void> limit_often(std::int64_t times) {
    for (; times > 0; --times) co_await timeout(1s, yield_once());
}

Task<void> app(const bench::Arguments& arguments) {
    const std::int64_t tasks = arguments.number("tasks", 100);
    const auto work = [&](std::int64_t ops) {
        return bench::run_many(tasks, limit_often, ops / tasks);
    };
    co_await bench::measure("with_timeout_task", arguments.number("ops", 10'000'000), work);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
