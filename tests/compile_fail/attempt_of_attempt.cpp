// One attempt is enough.
// expect: attempt(attempt(x)): one is enough
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/task.hpp>

ringlet::Task<int> work() {
    co_return 1;
}
ringlet::Task<void> awaits() {
    co_await ringlet::attempt(ringlet::attempt(work()));
}
