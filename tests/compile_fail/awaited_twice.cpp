// An awaitable that is used again and again by its name.
// expect: use of deleted function
// expect: call to deleted
#include <ringlet/time/sleep.hpp>
#include <ringlet/task/task.hpp>

ringlet::Task<void> awaits() {
    auto pause = ringlet::sleep(std::chrono::seconds(1));
    co_await pause;
    co_await pause;
}
