// A frame just within the build's bound.
// levels: -O0 -O1 -O2 -Os
// compiles
#include <ringlet/flow/generator.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/task/yield.hpp>

void fill(char* buffer);

ringlet::Task<int> almost_large() {
    char buffer[7 * 1024];
    fill(buffer);
    co_await ringlet::yield();
    co_return buffer[0];
}
ringlet::Generator<int> gives_many() {
    char buffer[7 * 1024];
    fill(buffer);
    co_await ringlet::yield();
    co_yield buffer[0];
}
