// A conditional operator between two calls inside a co_await expression: is only the result that
// was made destroyed, and once? As gather(flag ? a() : b(), c()) has it, and in simpler shapes.

#include "probe.hpp"

using Held = probe::Holding<probe::Counted>;

probe::Counted make() {
    return {};
}
Held hold() {
    return Held(make());
}

Held by_reference(probe::Counted&& given) {
    return Held(std::move(given));
}
Held by_value(probe::Counted given) {
    return Held(std::move(given));
}
Held two(probe::Counted&& given, probe::Counted&&) {
    return Held(std::move(given));
}

probe::Coroutine bound(bool first) {
    co_await by_reference(first ? make() : make());
}
probe::Coroutine passed(bool first) {
    co_await by_value(first ? make() : make());
}
probe::Coroutine beside_another(bool first) {
    co_await two(first ? make() : make(), make());
}
probe::Coroutine awaited(bool first) {
    co_await (first ? hold() : hold());
}

bool is_right(probe::Coroutine (*run)(bool)) {
    probe::alive = 0;
    for (const bool first : {true, false}) {
        run(first);
        probe::resume();
    }
    return probe::alive == 0;
}

int main() {
    int wrong = 0;
    for (const auto run : {bound, passed, beside_another, awaited}) {
        wrong += !is_right(run);
    }
    return wrong;
}
