// The await tree: names, reasons, places and ages.
#include "conformance/probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/task/await_tree.hpp>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace ringlet::conformance {
namespace {

// The lines of a tree, without the heap.
class Lines {
public:
    void print(TaskBlock& root) {
        size_ = 0;
        print_await_tree(root, add, this);
    }
    std::string_view text() const { return {text_, size_}; }
    // True if a line is just that.
    bool have(const char* line) const {
        const std::string_view all = text();
        const std::string_view wanted(line);
        for (std::size_t at = all.find(wanted); at != all.npos; at = all.find(wanted, at + 1)) {
            const bool begins = at == 0 || all[at - 1] == '\n';
            const std::size_t end = at + wanted.size();
            if (begins && end < all.size() && all[end] == '\n') return true;
        }
        return false;
    }
    unsigned count() const { return static_cast<unsigned>(std::ranges::count(text(), '\n')); }

private:
    static void add(std::string_view line, void* self) {
        auto& lines = *static_cast<Lines*>(self);
        if (lines.size_ + line.size() > sizeof lines.text_) return;
        std::memcpy(lines.text_ + lines.size_, line.data(), line.size());
        lines.size_ += line.size();
    }
    char text_[16384];
    std::size_t size_ = 0;
};
Lines lines;

struct Expected {
    char text[128];
};
// "  reader: sleep at await_tree_test.cpp:41 for 2.000 s"
Expected line_of(int depth, const char* what, int line, const char* age) {
    Expected expected;
    std::snprintf(expected.text, sizeof expected.text, "%*s%s at await_tree_test.cpp:%d for %s s",
                  2 * depth, "", what, line, age);
    return expected;
}
#define EXPECT_LINE(depth, what, line, age) \
    EXPECT_TRUE(lines.have(line_of(depth, what, line, age).text)) \
        << line_of(depth, what, line, age).text << "\nnot in\n" << lines.text()

struct Lasting {
    Task<void> close() {
        co_await sleep(10ms);
    }
};

TEST(AwaitTree, shows_names_reasons_places_and_ages) {
    testing::Simulation simulation;
    const auto main = []() -> Task<void> {
        TaskBlock& root = scheduler().running();
        int sleep_line = 0;
        int join_line = 0;
        int group_line = 0;
        const auto body = [&](TaskGroup& group) -> Task<void> {
            const auto reads = [&]() -> Task<void> {
                co_await sleep(500ms);
                sleep_line = __LINE__ + 1;
                co_await sleep(1h);
            };
            auto reader = group.spawn(reads).named("reader");
            auto nameless = group.spawn(value_after, 1h, 1);
            const auto looks = [&]() -> Task<void> {
                co_await sleep(2s);
                lines.print(root);
                reader.cancel();
                nameless.cancel();
            };
            (void)group.spawn(looks).named("looker");
            join_line = __LINE__ + 1;
            (void)co_await attempt(reader.join());
        };
        group_line = __LINE__ + 1;
        co_await TaskGroup::run(body);
        EXPECT_LINE(0, "main: task group", group_line, "2.000");
        EXPECT_LINE(1, "task: join", join_line, "2.000");
        EXPECT_LINE(1, "reader: sleep", sleep_line, "1.500");
        EXPECT_TRUE(lines.text().find("  looker: running at await_tree_test.cpp:") !=
                    std::string_view::npos) << lines.text();
        EXPECT_TRUE(lines.text().find("  task: sleep at probes.hpp:") != std::string_view::npos)
            << lines.text();
        EXPECT_EQ(lines.count(), 5u) << lines.text();
    };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
}

TEST(AwaitTree, goes_down_through_every_composite) {
    testing::Simulation simulation;
    const auto main = []() -> Task<void> {
        TaskBlock& root = scheduler().running();
        const auto looks = [&]() -> Task<void> {
            co_await sleep(1s);
            lines.print(root);
        };
        const auto open = []() -> Task<Lasting> { co_return Lasting(); };
        const auto in_it = [](Lasting&) -> Task<void> { co_await sleep(5s); };
        co_await gather(timeout(1h, shield(value_after(3s, 1))), with(open(), in_it), looks(),
                        at_once(1));
        for (const char* const reason :
             {"\n  task: timeout at ", "\n    task: shield at ", "\n      task: sleep at ",
              "\n  task: with at ", "\n    task: sleep at "}) {
            EXPECT_NE(lines.text().find(reason), std::string_view::npos)
                << reason << " not in\n" << lines.text();
        }
        EXPECT_TRUE(lines.text().starts_with("main: gather at await_tree_test.cpp:"));
        // The branch that has ended is not shown.
        EXPECT_EQ(lines.count(), 7u) << lines.text();
    };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
}

TEST(AwaitTree, tells_who_was_cancelled_and_waits_still) {
    testing::Simulation simulation;
    const auto main = []() -> Task<void> {
        TaskBlock& root = scheduler().running();
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            const auto lingers = []() -> Task<void> { co_await shield(sleep(1s)); };
            auto handle = group.spawn(lingers).named("lingerer");
            co_await yield();
            handle.cancel();
            const auto looks = [&]() -> Task<void> {
                co_await sleep(10ms);
                lines.print(root);
            };
            co_await looks();
        });
        EXPECT_TRUE(lines.text().find("  lingerer: shield, cancelled at ") !=
                    std::string_view::npos) << lines.text();
    };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
}

Task<int> nested(int depth) {
    if (depth == 0) {
        co_await sleep(1h);
        co_return 0;
    }
    const int below = co_await timeout(2h, nested(depth - 1));
    co_return below;
}

TEST(AwaitTree, ends_at_a_fixed_depth) {
    testing::Simulation simulation;
    const auto main = []() -> Task<void> {
        TaskBlock& root = scheduler().running();
        const auto looks = [&]() -> Task<void> {
            co_await sleep(1ms);
            lines.print(root);
            co_await fail(std::errc::no_link);
        };
        (void)co_await attempt(gather(nested(100), looks()));
        EXPECT_EQ(lines.count(), await_tree_depth_max + 2) << lines.text();
        EXPECT_TRUE(lines.text().find("...\n") != std::string_view::npos);
    };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
}

TEST(AwaitTree, is_logged_on_a_signal) {
    testing::Simulation simulation;
    simulation.world().call_at(simulation.world().now() + 5'000'000'000,
        [](void* world) { static_cast<testing::World*>(world)->raise(SIGUSR1); },
        &simulation.world());
    const auto main = []() -> Task<void> { co_await sleep(12s); };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
    const std::string_view log = simulation.world().written(2);
    EXPECT_NE(log.find("main: sleep at await_tree_test.cpp:"), log.npos) << log;
    EXPECT_NE(log.find(" for 5.000 s"), log.npos) << log;
}

}  // namespace
}  // namespace ringlet::conformance
