// A Generator is held to the same bound.
// levels: -O1 -O2 -Os
// expect: this coroutine's frame is larger than the build allows
#include <ringlet/flow/generator.hpp>
#include <ringlet/task/yield.hpp>

void fill(char* buffer);

ringlet::Generator<int> large() {
    char buffer[10 * 1024];
    fill(buffer);
    co_await ringlet::yield();
    co_yield buffer[0];
}
