// A frame over the build's bound: the compiler knows its size where it optimises.
// levels: -O1 -O2 -Os
// expect: this coroutine's frame is larger than the build allows
#include <ringlet/task/task.hpp>
#include <ringlet/task/yield.hpp>

void fill(char* buffer);

ringlet::Task<int> large() {
    char buffer[10 * 1024];
    fill(buffer);
    co_await ringlet::yield();
    co_return buffer[0];
}
