// Coroutines that let one another run.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

constexpr unsigned coroutines_max = 1000;
constexpr unsigned places = coroutines_max + 16;
constexpr Limits limits{.tasks = coroutines_max,
                        .frames = {{96, places}, {144, places}, {256, 16}, {1024, 16}}};
Runtime<limits> runtime;

Task<void> yield_often(std::int64_t times) {
    for (; times > 0; --times) co_await yield();
}

Task<void> app(const bench::Arguments& arguments) {
    const std::int64_t coroutines = arguments.number("coroutines", 1);
    const auto work = [&](std::int64_t ops) {
        return bench::run_many(coroutines, yield_often, ops / coroutines);
    };
    co_await bench::measure("yield", arguments.number("ops", 20'000'000), work);
}

}  // namespace

int main(int count, char** values) {
    return runtime.run(app, bench::Arguments(count, values));
}
