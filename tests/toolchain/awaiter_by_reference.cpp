// await_transform returns a reference to an awaiter: is that awaiter used, or a copy of it?

#include "probe.hpp"

int copies = 0;

struct Awaiter {
    Awaiter() = default;
    Awaiter(const Awaiter&) { ++copies; }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> frame) noexcept { probe::suspended = frame; }
    void await_resume() const noexcept {}
};

struct Coroutine {
    struct promise_type : probe::Coroutine::promise_type {
        Coroutine get_return_object() { return {}; }
        Awaiter& await_transform(Awaiter& awaiter) { return awaiter; }
        Awaiter&& await_transform(Awaiter&& awaiter) { return std::move(awaiter); }
    };
};

Coroutine run(Awaiter& awaiter) {
    co_await awaiter;
    co_await Awaiter{};
}

int main() {
    Awaiter awaiter;
    run(awaiter);
    probe::resume();
    probe::resume();
    return copies == 0 ? 0 : 1;
}
