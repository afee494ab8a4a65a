// Without optimisation the size is no constant: it is refused when it is allocated.
// levels: -O0
// compiles
#include <ringlet/task/task.hpp>
#include <ringlet/task/yield.hpp>

void fill(char* buffer);

ringlet::Task<int> large() {
    char buffer[10 * 1024];
    fill(buffer);
    co_await ringlet::yield();
    co_return buffer[0];
}
