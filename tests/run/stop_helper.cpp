// A program for stop_test.py: `stop_helper <what to do>`. It writes "ready" to standard output when
// the test may send its signal.
#include <ringlet/ringlet.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

using namespace ringlet;
using namespace std::chrono_literals;

namespace {

constexpr Limits usual{};
constexpr Limits short_stop{.stop_limit_ms = 100};
constexpr Limits locked{.lock_memory = true};
constexpr Limits no_tree_signal{.await_tree_signal = 0};

Runtime<usual> runtime;

void say(std::string_view words) {
    if (::write(STDOUT_FILENO, words.data(), words.size()) < 0) std::abort();
}

// Says that it is gone, whatever way it goes.
struct Guard {
    explicit Guard(const char* its_words) : words(its_words) {}
    ~Guard() { say(words); }
    const char* words;
};

Task<void> ends() {
    co_return;
}

Task<int> seven() {
    co_return 7;
}

Task<void> fails() {
    co_await sleep(1ms);
    co_await fail(std::errc::io_error);
}

Task<void> waits() {
    const Guard guard("main unwound\n");
    say("ready\n");
    co_await sleep(1h);
}

Task<void> waits_with_children() {
    const auto child = [](const char* words) -> Task<void> {
        const Guard guard(words);
        co_await sleep(1h);
    };
    const auto last = []() -> Task<void> {
        co_await sleep(10ms);  // all others wait by now
        say("ready\n");
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        group.spawn(child, "first unwound\n");
        group.spawn(child, "second unwound\n");
        co_await gather(child("left unwound\n"), timeout(1h, child("right unwound\n")), last());
    });
}

// A clean-up that takes its time, and ends.
Task<void> cleans_up() {
    struct Resource {
        Task<void> close() {
            co_await sleep(50ms);
            say("closed\n");
        }
    };
    const auto open = []() -> Task<Resource> { co_return Resource(); };
    co_await with(open(), [](Resource&) -> Task<void> {
        say("ready\n");
        co_await sleep(1h);
    });
}

// Something that does not end.
Task<void> is_stuck() {
    const auto flush = []() -> Task<void> { co_await shield(sleep(1h)); };
    const auto idle = []() -> Task<void> { co_await sleep(1h); };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto stuck = group.spawn(flush).named("flusher");
        group.spawn(idle);
        co_await sleep(10ms);  // both wait by now
        say("ready\n");
        co_await stuck.join();
    });
}

// The second signal is read in a turn in which more was logged than one write takes.
Task<void> logs_and_is_stopped_twice() {
    const auto work = []() -> Task<void> {
        ::kill(::getpid(), SIGTERM);
        while (!run_is_stopping()) co_await yield();
        for (int i = 0; i < 50; ++i) log::info("line %06d %s", i, "abcdefghijklmnopqrstuvwxyz");
        ::kill(::getpid(), SIGTERM);
        co_await sleep(1h);
    };
    co_await shield(work());
}

// A task that is never done, but lets the others run.
Task<void> is_busy() {
    say("ready\n");
    for (;;) co_await yield();
}

Task<void> waits_for_nothing() {
    say("ready\n");
    co_await sleep_until(Deadline::none());
}

Task<int> gives(int status) {
    say("ready\n");
    co_await shield(sleep(200ms));
    co_return status;
}

// The error comes while main unwinds.
Task<void> fails_while_stopping() {
    say("ready\n");
    co_await shield(sleep(200ms));
    co_await fail(std::errc::no_space_on_device);
}

Task<void> logs(int lines, bool with_rests) {
    for (int i = 0; i < lines; ++i) {
        log::info("line %06d %s", i, "abcdefghijklmnopqrstuvwxyz");
        if (with_rests) co_await yield();
    }
    say("logged\n");
}

// The log is kept at work for as long as a signal does not come.
Task<void> logs_for_ever() {
    say("ready\n");
    for (int i = 0;; ++i) {
        log::info("line %06d %s", i, "abcdefghijklmnopqrstuvwxyz");
        co_await sleep(1ms);
    }
}

Task<void> logs_and_fails() {
    log::info("before");
    co_await fail(std::errc::io_error);
}

// A spell of 300 ms in which the log cannot be written.
Task<void> logs_and_rests() {
    for (int i = 0; i < 100; ++i) log::info("line %06d %s", i, "abcdefghijklmnopqrstuvwxyz");
    co_await sleep(300ms);
    say("rested\n");
}

Task<int> nests() {
    const int status = runtime.run(ends);
    co_return status == exit_nested_run ? 0 : 1;
}

int run_twice() {
    const int first = runtime.run(fails);
    const int second = runtime.run(ends);
    const int third = runtime.run(seven);
    return first == 1 && second == 0 && third == 7 ? 0 : 1;
}

template <Limits limits, class F, class... Arguments>
int run_with(F function, Arguments... arguments) {
    static Runtime<limits> its_runtime;
    return its_runtime.run(function, arguments...);
}

// For the limits that a test sets: RLIMIT_MEMLOCK holds only for an ordinary user.
void become_nobody() {
    constexpr uid_t nobody = 65534;
    if (::setresuid(nobody, nobody, nobody) != 0) std::abort();
}

bool is_sanitized() {
#ifdef RINGLET_ADDRESS_SANITIZER
    return true;
#else
    return false;
#endif
}

int act(std::string_view what) {
    if (what == "ends") return runtime.run(ends);
    if (what == "seven") return runtime.run(seven);
    if (what == "fails") return runtime.run(fails);
    if (what == "waits") return runtime.run(waits);
    if (what == "children") return runtime.run(waits_with_children);
    if (what == "cleans-up") return runtime.run(cleans_up);
    if (what == "stuck") return runtime.run(is_stuck);
    if (what == "stuck-shortly") return run_with<short_stop>(is_stuck);
    if (what == "logs-and-is-stopped-twice") return runtime.run(logs_and_is_stopped_twice);
    if (what == "busy") return runtime.run(is_busy);
    if (what == "waits-for-nothing") return runtime.run(waits_for_nothing);
    if (what == "gives-0") return runtime.run(gives, 0);
    if (what == "gives-5") return runtime.run(gives, 5);
    if (what == "fails-while-stopping") return runtime.run(fails_while_stopping);
    if (what == "logs-fast") return runtime.run(logs, 20'000, false);
    if (what == "logs") return runtime.run(logs, 2'000, true);
    if (what == "logs-little") return runtime.run(logs, 170, false);
    if (what == "logs-for-ever") return runtime.run(logs_for_ever);
    if (what == "logs-and-fails") return runtime.run(logs_and_fails);
    if (what == "logs-and-rests") return runtime.run(logs_and_rests);
    if (what == "nests") return runtime.run(nests);
    if (what == "twice") return run_twice();
    if (what == "no-tree-signal") return run_with<no_tree_signal>(waits);
    if (what == "locks-memory") return is_sanitized() ? 77 : run_with<locked>(seven);
    if (what == "locks-memory-as-nobody") {
        become_nobody();
        return is_sanitized() ? 77 : run_with<locked>(seven);
    }
    std::fprintf(stderr, "stop_helper: unknown: %s\n", what.data());
    return 2;
}

}  // namespace

int main(int count, char** arguments) {
    return count == 2 ? act(arguments[1]) : 2;
}
