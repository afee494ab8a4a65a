// Many tasks that sleep until the same moment, for syscalls_test.py: `sleepers COUNT MILLISECONDS`.
#include <ringlet/ringlet.hpp>

#include <cstdlib>

using namespace ringlet;

namespace {

constexpr Limits limits{.tasks = 1000, .frames = {{256, 2200}, {512, 1100}, {1024, 4}}};

Runtime<limits> runtime;

Task<void> sleep_till(Deadline deadline) {
    co_await sleep_until(deadline);
}

Task<void> sleep_all(int count, std::chrono::milliseconds span) {
    const Deadline deadline = Deadline::after(span);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < count; ++i) (void)group.spawn(sleep_till, deadline);
        co_return;
    });
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) return 2;
    return runtime.run(sleep_all, std::atoi(arguments[1]),
                       std::chrono::milliseconds(std::atoi(arguments[2])));
}
