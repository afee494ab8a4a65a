// An aggregate prvalue with a non-trivial member inside a co_await expression: destroyed once?

#include "probe.hpp"

struct Reading {
    int value;
    probe::Counted name;
};

probe::Holding<Reading> put(Reading reading) {
    return probe::Holding<Reading>{std::move(reading)};
}

probe::Coroutine run() {
    co_await put(Reading{1, {}});
}

int main() {
    run();
    probe::resume();
    return probe::alive == 0 ? 0 : 1;
}
