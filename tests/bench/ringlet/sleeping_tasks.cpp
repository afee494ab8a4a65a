// What a task takes that only sleeps.
#include "coroutines.hpp"

using namespace ringlet;
using namespace std::chrono_literals;

namespace {

constexpr unsigned tasks_max = 10'000;
constexpr unsigned task_frame_bytes = 144;
constexpr unsigned task_block_bytes = 128;
constexpr Limits limits{
    .tasks = tasks_max,
    .frames = {{task_block_bytes, tasks_max + 16}, {task_frame_bytes, tasks_max + 16}, {512, 16}}};
Runtime<limits> runtime;
Task<void> sleep_long() {
    co_await sleep(1h);
}

Task<void> app(const bench::Arguments& arguments) {
    const std::int64_t tasks = arguments.number("tasks", tasks_max);
    const auto body = [&](TaskGroup& group) -> Task<void> {
        const std::int64_t before = bench::own_bytes();
        for (std::int64_t i = 0; i < tasks; ++i) group.spawn(sleep_long);
        co_await yield();
        bench::print_bytes("sleeping_tasks", "ringlet", tasks, bench::own_bytes() - before);
        group.cancel_tasks();
    };
    co_await TaskGroup::run(body);
}

}  // namespace

int main(int count, char** values) {
    return runtime.run(app, bench::Arguments(count, values));
}
