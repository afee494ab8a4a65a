// Ten tasks that share three permits.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

constexpr std::int64_t tasks = 10;
Semaphore semaphore(3);

Task<void> enter_often(std::int64_t times) {
    for (; times > 0; --times) {
        const auto permit = co_await semaphore.acquire();
        co_await yield();
    }
}

Task<void> app(const bench::Arguments& arguments) {
    const auto work = [](std::int64_t ops) {
        return bench::run_many(tasks, enter_often, ops / tasks);
    };
    co_await bench::measure("semaphore", arguments.number("ops", 10'000'000), work);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
