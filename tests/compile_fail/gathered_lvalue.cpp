// gather uses its tasks up, so they come by std::move.
// expect: no matching function
#include <ringlet/flow/gather.hpp>

ringlet::Task<int> work() {
    co_return 1;
}
ringlet::Task<void> awaits() {
    auto task = work();
    co_await ringlet::gather(task, work());
}
