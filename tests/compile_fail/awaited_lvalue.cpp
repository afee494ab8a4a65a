// A named Task is awaited by std::move: the await uses it up.
// expect: use of deleted function
// expect: call to deleted
#include <ringlet/task/task.hpp>

ringlet::Task<int> work() {
    co_return 1;
}
ringlet::Task<void> awaits() {
    auto task = work();
    co_await task;
}
