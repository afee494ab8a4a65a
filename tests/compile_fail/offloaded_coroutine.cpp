// A worker calls plain functions.
// expect: a job is a plain function; a coroutine runs on the loop
#include <ringlet/task/task.hpp>
#include <ringlet/work/offload.hpp>

ringlet::Task<int> work() {
    co_return 1;
}
ringlet::Task<void> offloads() {
    co_await ringlet::offload(work);
}
