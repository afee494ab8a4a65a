// A prvalue lambda that captures a non-trivial object by value, inside a co_await expression:
// destroyed once?

#include "probe.hpp"

template <class Callable>
probe::Holding<Callable> with(Callable callable) {
    return probe::Holding<Callable>{std::move(callable)};
}

probe::Coroutine run() {
    probe::Counted name;
    co_await with([name] { (void)name; });
}

int main() {
    run();
    probe::resume();
    return probe::alive == 0 ? 0 : 1;
}
