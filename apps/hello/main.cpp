// hello: one task, one ticker. The yardstick for size.
#include <ringlet/base/log.hpp>
#include <ringlet/run/runtime.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/time/ticker.hpp>

namespace {

constexpr ringlet::Limits limits{.tasks = 1,
                                 .operations = 1,
                                 .descriptors = 1,
                                 .frames = {{256, 2}},
                                 .bounded_workers = 1,
                                 .unbounded_workers = 1};
ringlet::Runtime<limits> runtime;

ringlet::Task<void> hello() {
    ringlet::Ticker every{std::chrono::milliseconds(100)};
    for (int count = 1; count <= 3; ++count) {
        co_await every.tick();
        ringlet::log::info("hello %d", count);
    }
}

}  // namespace

int main() {
    return runtime.run(hello);
}
