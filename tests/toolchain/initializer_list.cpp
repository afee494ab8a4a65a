// co_await of a call that takes an initializer_list: does it compile, and are the values right?

#include "probe.hpp"

#include <initializer_list>

probe::Later sum(std::initializer_list<int> values) {
    int total = 0;
    for (const int value : values) {
        total += value;
    }
    return {total};
}

probe::Coroutine run(int& total) {
    total = co_await sum({1, 2, 3});
}

int main() {
    int total = 0;
    run(total);
    probe::resume();
    return total == 6 ? 0 : 1;
}
