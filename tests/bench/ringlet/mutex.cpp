// Ten tasks that share a mutex.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

constexpr std::int64_t tasks = 10;
Mutex mutex;

Task<void> lock_often(std::int64_t times) {
    for (; times > 0; --times) {
        const auto guard = co_await mutex.lock();
        co_await yield();
    }
}

Task<void> app(const bench::Arguments& arguments) {
    const auto work = [](std::int64_t ops) {
        return bench::run_many(tasks, lock_often, ops / tasks);
    };
    co_await bench::measure("mutex", arguments.number("ops", 10'000'000), work);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
