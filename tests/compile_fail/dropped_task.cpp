// A Task that nobody awaits.
// expect: a Task runs only when it is awaited
#include <ringlet/task/task.hpp>

ringlet::Task<int> work() {
    co_return 1;
}
ringlet::Task<void> forgets() {
    work();
    co_return;
}
