// An abandonable job may outlive its caller, so it owns what it uses.
// expect: an abandonable job has no captures: pass what it uses as arguments
#include <ringlet/task/task.hpp>
#include <ringlet/work/offload.hpp>

ringlet::Task<void> leaves() {
    int local = 0;
    co_await ringlet::offload(ringlet::abandonable([&local] { ++local; }));
}
