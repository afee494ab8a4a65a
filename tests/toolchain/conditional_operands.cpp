// A conditional operator between two calls whose result is bound to a reference, inside a co_await
// expression: is only the result that was made destroyed, and once?

#include "probe.hpp"

probe::Counted make() {
    return {};
}

probe::Holding<probe::Counted> take(probe::Counted&& given) {
    return probe::Holding<probe::Counted>(std::move(given));
}

probe::Coroutine run(bool first) {
    co_await take(first ? make() : make());
}

int main() {
    run(true);
    probe::resume();
    return probe::alive == 0 ? 0 : 1;
}
