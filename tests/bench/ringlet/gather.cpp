// Two coroutines side by side, both needed.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

Task<int> yield_once() {
    co_await yield();
    co_return 1;
}

Task<void> gather_often(std::int64_t times) {
    std::int64_t sum = 0;
    for (; times > 0; --times) {
        const auto both = co_await gather(yield_once(), yield_once());
        sum += std::get<0>(both) + std::get<1>(both);
    }
    bench::keep(sum);
}

Task<void> app(const bench::Arguments& arguments) {
    co_await bench::measure("gather", arguments.number("ops", 5'000'000), gather_often);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
