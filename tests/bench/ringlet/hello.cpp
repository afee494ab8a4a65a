// The least that a program is.
#include <ringlet/ringlet.hpp>

#include <cstdio>

using namespace std::chrono_literals;

static ringlet::Task<void> app() {
    co_await ringlet::sleep(1ms);
    std::puts("hello");
}

int main() {
    return ringlet::run(app);
}
