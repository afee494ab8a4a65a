#include <ringlet/base/log.hpp>

#include <ringlet/base/panic.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>

namespace ringlet {
namespace {

// What goes to standard error while `body` runs.
template <class Body>
std::string written(Body body) {
    testing::internal::CaptureStderr();
    body();
    return testing::internal::GetCapturedStderr();
}

std::string drain() {
    std::string all;
    while (!log::pending().empty()) {
        all += log::pending();
        log::consume(log::pending().size());
    }
    return all;
}

class Log : public testing::Test {
protected:
    void TearDown() override {
        log::set_threshold(log::Level::info);
        log::set_journal_prefix(false);
        log::set_wake(nullptr, nullptr);
    }
};

// What is written at once goes to the real standard error.
using KernelLog = Log;

class BufferedLog : public Log {
protected:
    void SetUp() override { log::attach(); }
    void TearDown() override {
        drain();
        log::detach();
        Log::TearDown();
    }
};

TEST_F(KernelLog, writes_a_line_at_once_while_no_loop_runs) {
    EXPECT_EQ(written([] { log::warning("sensor %d: %s", 3, "timed out"); }),
              "warning: sensor 3: timed out\n");
}

TEST_F(KernelLog, names_each_level) {
    log::set_threshold(log::Level::debug);
    const std::string all = written([] {
        log::error("a");
        log::warning("b");
        log::info("c");
        log::debug("d");
    });
    EXPECT_EQ(all, "error: a\nwarning: b\ninfo: c\ndebug: d\n");
}

TEST_F(KernelLog, leaves_out_what_is_less_important_than_the_threshold) {
    EXPECT_EQ(written([] { log::debug("not at first"); }), "");
    log::set_threshold(log::Level::error);
    EXPECT_TRUE(log::is_enabled(log::Level::error));
    EXPECT_FALSE(log::is_enabled(log::Level::warning));
    EXPECT_EQ(written([] {
                  log::warning("no");
                  log::error("yes");
              }),
              "error: yes\n");
}

TEST_F(KernelLog, can_put_the_priority_of_the_journal_in_front) {
    log::set_journal_prefix(true);
    log::set_threshold(log::Level::debug);
    const std::string all = written([] {
        log::error("a");
        log::warning("b");
        log::info("c");
        log::debug("d");
    });
    EXPECT_EQ(all, "<3>error: a\n<4>warning: b\n<6>info: c\n<7>debug: d\n");
}

TEST_F(KernelLog, keeps_a_record_on_one_line) {
    EXPECT_EQ(written([] { log::info("%s", "a\nerror: forged\x1B[2J\x7F\tb\n"); }),
              "info: a?error: forged?[2J?\tb\n");
    EXPECT_EQ(written([] { log::info("%s", ""); }), "info: \n");
}

TEST_F(KernelLog, cuts_a_line_that_is_too_long_and_says_so) {
    const std::string longer(2 * log::line_bytes_max, 'x');
    const std::string line = written([&] { log::info("%s", longer.c_str()); });
    EXPECT_EQ(line.size(), log::line_bytes_max);
    EXPECT_TRUE(line.ends_with("x[...]\n"));
}

TEST_F(KernelLog, does_not_cut_a_line_that_just_fits) {
    const std::string fits(log::line_bytes_max - std::string("info: \n").size(), 'x');
    EXPECT_EQ(written([&] { log::info("%s", fits.c_str()); }), "info: " + fits + "\n");
    const std::string over = fits + "x";
    EXPECT_TRUE(written([&] { log::info("%s", over.c_str()); }).ends_with("x[...]\n"));
}

TEST_F(KernelLog, halves_no_character_when_it_cuts) {
    for (std::size_t offset = 0; offset < 4; ++offset) {
        std::string text(offset, 'x');
        while (text.size() < 2 * log::line_bytes_max) text += "\xF0\x9F\x8C\xA1";
        const std::string line = written([&] { log::info("%s", text.c_str()); });
        const std::size_t body = line.size() - std::string("info: [...]\n").size() - offset;
        EXPECT_EQ(body % 4, 0u);
        EXPECT_GT(line.size() + 4, log::line_bytes_max);
    }
}

TEST_F(KernelLog, keeps_errno) {
    errno = ENOENT;
    (void)written([] { log::info("%m"); });
    EXPECT_EQ(errno, ENOENT);
}

TEST_F(BufferedLog, writes_nothing_itself_kernel) {
    EXPECT_EQ(written([] { log::info("one"); }), "");
    EXPECT_EQ(log::pending(), "info: one\n");
}

TEST_F(BufferedLog, gives_the_oldest_bytes_first_and_again_until_consumed) {
    log::info("one");
    log::info("two");
    EXPECT_EQ(log::pending(), "info: one\ninfo: two\n");
    log::consume(5);
    EXPECT_EQ(log::pending(), " one\ninfo: two\n");
    EXPECT_EQ(drain(), " one\ninfo: two\n");
    EXPECT_EQ(log::pending(), "");
}

TEST_F(BufferedLog, keeps_pending_bytes_in_place_while_more_is_logged) {
    log::info("in flight");
    const std::string_view in_flight = log::pending();
    const std::string before(in_flight);
    for (int i = 0; i < 10'000; ++i) log::info("more %d", i);
    EXPECT_EQ(in_flight, before);
}

TEST_F(BufferedLog, wakes_the_loop_once_when_it_becomes_non_empty) {
    int wakes = 0;
    log::set_wake([](void* count) { ++*static_cast<int*>(count); }, &wakes);
    log::info("one");
    log::info("two");
    EXPECT_EQ(wakes, 1);
    drain();
    log::debug("below the threshold");
    EXPECT_EQ(wakes, 1);
    log::info("three");
    EXPECT_EQ(wakes, 2);
}

TEST_F(BufferedLog, wakes_at_once_if_bytes_were_waiting) {
    log::info("early");
    int wakes = 0;
    log::set_wake([](void* count) { ++*static_cast<int*>(count); }, &wakes);
    EXPECT_EQ(wakes, 1);
}

TEST_F(BufferedLog, keeps_every_byte_in_order_around_the_end_of_the_ring) {
    std::string expected;
    std::string got;
    for (std::size_t i = 0; i < 5000; ++i) {
        log::info("line %zu", i);
        expected += "info: line " + std::to_string(i) + "\n";
        const std::size_t count = std::min(log::pending().size(), 7 + i % 23);
        got += log::pending().substr(0, count);
        log::consume(count);
    }
    got += drain();
    EXPECT_EQ(got, expected);
}

TEST_F(BufferedLog, drops_what_does_not_fit_and_counts_it) {
    const std::uint64_t lost_before = log::lost();
    const std::string text(101, 'x');
    const std::size_t line_size = text.size() + std::string("info: \n").size();
    const std::size_t fit = log::buffer_bytes / line_size;
    for (std::size_t i = 0; i < fit + 3; ++i) log::info("%s", text.c_str());
    EXPECT_EQ(log::lost() - lost_before, 3u);
    const std::string all = drain();
    EXPECT_EQ(all.size(), fit * line_size + std::string("warning: 3 messages lost\n").size());
    EXPECT_TRUE(all.ends_with("x\nwarning: 3 messages lost\n"));
}

TEST_F(BufferedLog, says_the_loss_before_any_newer_line_and_only_once) {
    const std::string text(500, 'x');
    const std::uint64_t lost_before = log::lost();
    while (log::lost() == lost_before) log::info("%s", text.c_str());
    log::consume(600);
    log::info("newer");
    const std::string all = drain();
    EXPECT_TRUE(all.ends_with("warning: 1 message lost\ninfo: newer\n"));
    EXPECT_EQ(drain(), "");
}

TEST_F(BufferedLog, drops_a_short_line_too_until_the_loss_is_told) {
    const std::string text(500, 'x');
    const std::uint64_t lost_before = log::lost();
    while (log::lost() == lost_before) log::info("%s", text.c_str());
    log::info("short");  // would fit
    EXPECT_EQ(log::lost() - lost_before, 2u);
    EXPECT_TRUE(drain().ends_with("warning: 2 messages lost\n"));
}

TEST_F(BufferedLog, has_nothing_between_the_last_consume_and_a_new_line) {
    log::info("x");
    log::consume(log::pending().size());
    EXPECT_TRUE(log::pending().empty());
    log::consume(0);
    EXPECT_TRUE(log::pending().empty());
}

TEST_F(KernelLog, writes_what_the_loop_left_when_it_detaches) {
    log::attach();
    const std::string text(500, 'x');
    const std::uint64_t lost_before = log::lost();
    log::info("first");
    while (log::lost() == lost_before) log::info("%s", text.c_str());
    const std::string all = written([] { log::detach(); });
    EXPECT_TRUE(all.starts_with("info: first\n"));
    EXPECT_TRUE(all.ends_with("warning: 1 message lost\n"));
    EXPECT_EQ(written([] { log::info("direct"); }), "info: direct\n");
}

using LogDeathTest = Log;

TEST_F(LogDeathTest, refuses_to_attach_twice_or_to_consume_too_much) {
    EXPECT_DEATH({ log::attach(); log::attach(); }, "!state.attached");
    EXPECT_DEATH(log::detach(), "state.attached");
    EXPECT_DEATH(log::consume(1), "count <= state.size");
}

TEST_F(LogDeathTest, leaves_its_lines_when_an_assertion_fails) {
    const auto fails = [] {
        log::attach();
        log::info("before");
        RINGLET_ASSERT(false);
    };
    EXPECT_DEATH(fails(), "^info: before\nringlet: assertion failed");
    const auto fails_itself = [] {
        log::attach();
        log::info("before");
        log::consume(log::pending().size() + 1);
    };
    EXPECT_DEATH(fails_itself(), "^info: before\nringlet: assertion failed");
}

TEST_F(LogDeathTest, is_left_alone_when_another_thread_s_assertion_fails) {
    const auto fails = [] {
        log::attach();
        log::info("before");
        std::thread([] { RINGLET_ASSERT(false); }).join();
    };
    EXPECT_DEATH(fails(), "^ringlet: assertion failed");
}

}  // namespace
}  // namespace ringlet
