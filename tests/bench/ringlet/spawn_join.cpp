// A task is started, and awaited, again and again.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

Task<int> one() {
    co_return 1;
}

Task<std::int64_t> spawn_and_join(std::int64_t times) {
    const auto body = [&](TaskGroup& group) -> Task<std::int64_t> {
        std::int64_t sum = 0;
        for (; times > 0; --times) sum += co_await group.spawn(one).join();
        co_return sum;
    };
    co_return co_await TaskGroup::run(body);
}

Task<void> app(const bench::Arguments& arguments) {
    const auto work = [](std::int64_t ops) -> Task<void> {
        bench::keep(co_await spawn_and_join(ops));
    };
    co_await bench::measure("spawn_join", arguments.number("ops", 10'000'000), work);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
