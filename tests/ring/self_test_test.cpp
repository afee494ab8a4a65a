// The self-test on rings that are wrong: each passes all on to one that is right, the simulated one
// or the kernel's, and breaks one thing on the way back.
#include <ringlet/ring/self_test.hpp>

#include <ringlet/ring/kernel_ring.hpp>
#include <ringlet/ring/kernel_system.hpp>
#include <ringlet/task/operations.hpp>
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>

namespace ringlet {
namespace {

using namespace std::chrono_literals;

constexpr auto all_passed = [] {
    SelfTestReport report;
    report.fill(SelfTestOutcome::passed);
    return report;
}();

SelfTestOutcome outcome_of(const SelfTestReport& report, SelfTestStep step) {
    return report[static_cast<std::size_t>(step)];
}

// What befalls a completion; false: it is lost.
using Alteration = std::function<bool(Completion&)>;

class WrongRing final : public Ring {
public:
    explicit WrongRing(Ring& right) : right_(right) {}

    // The n-th completion of the opcode is altered, the first being 1.
    void alter(int opcode, unsigned nth, Alteration alteration) {
        on_completion = [=, seen = 0u](int its_opcode, Completion& completion) mutable {
            return its_opcode != opcode || ++seen != nth || alteration(completion);
        };
    }

    // In place of each enter(), with its number, the first being 1.
    std::function<void(Ring& right, unsigned number, Nanoseconds timeout)> on_enter;
    // Before an SQE is submitted.
    std::function<void(io_uring_sqe& sqe)> on_submission;
    // False: it is lost.
    std::function<bool(int opcode, Completion& completion)> on_completion;
    unsigned entries() const { return entries_; }

    io_uring_sqe& next_sqe() override {
        note_last();
        last_ = &right_.next_sqe();
        return *last_;
    }
    unsigned unsubmitted() const override { return right_.unsubmitted(); }
    void enter(Wait wait, Nanoseconds timeout) override {
        note_last();
        ++entries_;
        on_enter ? on_enter(right_, entries_, timeout) : right_.enter(wait, timeout);
    }
    std::size_t reap(std::span<Completion> out) override {
        std::size_t count = 0;
        while (count < out.size() && right_.reap(out.subspan(count, 1)) == 1) {
            if (passes(out[count])) ++count;
        }
        return count;
    }
    bool overflowed() const override { return right_.overflowed(); }
    Result<void> register_buffer_ring(io_uring_buf_ring*, unsigned, unsigned short) override {
        return {};
    }
    Result<void> unregister_buffer_ring(unsigned short) override { return {}; }

private:
    // It is filled only after it was handed out.
    void note_last() {
        if (last_ == nullptr) return;
        opcodes_[last_->user_data] = last_->opcode;
        if (on_submission) on_submission(*last_);
        last_ = nullptr;
    }
    bool passes(Completion& completion) {
        return !on_completion || on_completion(opcodes_[completion.user_data], completion);
    }

    Ring& right_;
    io_uring_sqe* last_ = nullptr;
    std::map<std::uint64_t, int> opcodes_;
    unsigned entries_ = 0;
};

class World : public testing::World {
public:
    testing::SimulatedSystem system{*this};
    testing::SimulatedRing ring{*this, {16, 64}};
};

// ---- a ring that is right ----

void expect_passed(Ring& ring, System& system) {
    SelfTestReport report{};
    const Result<void> tested = run_self_test(ring, system, report);
    EXPECT_TRUE(tested) << (tested ? "" : refusal(tested.error()).c_str());
    EXPECT_EQ(report, all_passed);
    EXPECT_FALSE(ring.overflowed());
}

TEST(SelfTest, passes_and_leaves_nothing_behind) {
    World world;
    const unsigned open = world.open_descriptors();
    expect_passed(world.ring, world.system);
    EXPECT_EQ(world.open_descriptors(), open);
    EXPECT_EQ(world.ring.in_flight(), 0u);
    EXPECT_EQ(world.ring.unsubmitted(), 0u);
}

TEST(SelfTest, passes_in_whatever_order_completions_come) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        testing::SimulationOptions options;
        options.seed = seed;
        options.latency_max = 1ms;
        testing::World world(options);
        testing::SimulatedSystem system(world);
        testing::SimulatedRing ring(world, {16, 64});
        expect_passed(ring, system);
    }
}

TEST(SelfTest, has_room_in_the_smallest_ring) {
    constexpr Limits least{.operations = 1, .descriptors = 1};
    for (const RingSize size : {RingSize{1, 2}, Operations::ring_size(least)}) {
        testing::World world;
        testing::SimulatedSystem system(world);
        testing::SimulatedRing ring(world, size);
        expect_passed(ring, system);
    }
}

// Whoever stops a process for long (a debugger, a full machine) must not make its kernel wrong.
TEST(SelfTest, passes_though_the_process_was_stopped_once_at_any_entry) {
    enum class Stop { before, within, after };
    const auto entries_with = [](Stop stop, unsigned at) {
        World world;
        WrongRing ring(world.ring);
        ring.on_enter = [&](Ring& right, unsigned number, Nanoseconds timeout) {
            if (number != at) return right.enter(Ring::Wait::for_one, timeout);
            if (stop == Stop::before) world.advance(1min);
            // Going on is a signal, which interrupts.
            right.enter(stop == Stop::within ? Ring::Wait::no : Ring::Wait::for_one, timeout);
            if (stop != Stop::before) world.advance(1min);
        };
        expect_passed(ring, world.system);
        EXPECT_EQ(world.ring.in_flight(), 0u);
        return ring.entries();
    };
    const unsigned entries = entries_with(Stop::before, 0);
    EXPECT_GE(entries, self_test_steps);
    for (const Stop stop : {Stop::before, Stop::within, Stop::after}) {
        for (unsigned at = 1; at <= entries; ++at) entries_with(stop, at);
    }
}

TEST(SelfTest, passes_though_signals_interrupt_its_waits) {
    World world;
    WrongRing ring(world.ring);
    ring.on_enter = [](Ring& right, unsigned number, Nanoseconds timeout) {
        const bool is_interrupted = number % 4 != 0;
        right.enter(is_interrupted ? Ring::Wait::no : Ring::Wait::for_one, timeout);
    };
    expect_passed(ring, world.system);
    EXPECT_EQ(world.ring.in_flight(), 0u);
}

std::size_t open_here() {
    const std::filesystem::directory_iterator folder("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

TEST(KernelSelfTest, passes_in_open_and_leaves_nothing_behind) {
    const std::size_t open = open_here();
    constexpr Limits least{.operations = 1, .descriptors = 1};
    const RingSize least_size = Operations::ring_size(least);
    for (const RingSize size : {RingSize{1, 2}, RingSize{16, 64}, least_size}) {
        KernelRing ring;
        const Result<void> opened = ring.open(size, 1, 1);
        if (!opened) GTEST_SKIP() << refusal(opened.error()).c_str();
        EXPECT_EQ(ring.self_test(), all_passed);
        EXPECT_FALSE(ring.overflowed());
        EXPECT_EQ(open_here(), open + 1);
        KernelSystem system;
        expect_passed(ring, system);
        EXPECT_EQ(open_here(), open + 1);
    }
    EXPECT_EQ(open_here(), open);
}

// ---- rings that are wrong ----

struct Answer {
    const char* step;
    int opcode;
    unsigned nth;  // answer to this opcode
};
constexpr Answer answers[] = {
    {"nop", IORING_OP_NOP, 1},
    {"timeout", IORING_OP_TIMEOUT, 1},
    {"wait", IORING_OP_TIMEOUT, 2},
    {"wait", IORING_OP_ASYNC_CANCEL, 1},
    {"pipe read", IORING_OP_READ, 1},
    {"pipe read", IORING_OP_WRITE, 1},
    {"cancel", IORING_OP_READ, 2},
    {"cancel", IORING_OP_ASYNC_CANCEL, 2},
    {"poll", IORING_OP_POLL_ADD, 1},
    {"poll", IORING_OP_WRITE, 2},
    {"accept", IORING_OP_CONNECT, 1},
    {"accept", IORING_OP_ACCEPT, 1},
};

struct Wrong {
    const char* words;
    Alteration alteration;
};
const Wrong wrongs[] = {
    // The upper half is lost, or is what the sign of the lower one makes of it.
    {"a wrong user_data", [](Completion& it) { return (it.user_data &= 0xFFFF'FFFF, true); }},
    {"a wrong user_data",
     [](Completion& it) { return (it.user_data |= 0xFFFF'FFFF'0000'0000, true); }},
    {"a wrong user_data", [](Completion& it) { return (it.user_data &= ~0xFFFF'FFFFull, true); }},
    {"a wrong user_data", [](Completion& it) { return (it.user_data ^= 1ull << 63, true); }},
    {"a wrong user_data", [](Completion& it) { return (it.user_data ^= 1ull << 32, true); }},
    {"Invalid argument", [](Completion& it) { return (it.result = -EINVAL, true); }},
    {"Function not implemented", [](Completion& it) { return (it.result = -ENOSYS, true); }},
    {"a wrong result", [](Completion& it) { return (it.result = 3, true); }},
};
const Wrong lost = {"no answer", [](Completion&) { return false; }};

class Wrongs : public ::testing::TestWithParam<Answer> {
protected:
    // True if the self-test has run, and found what it was to find.
    void expect_found(Ring& right, System& system, const Wrong& wrong) {
        const Answer& answer = GetParam();
        int accepted = -1;
        WrongRing ring(right);
        ring.alter(answer.opcode, answer.nth, [&](Completion& completion) {
            if (answer.opcode == IORING_OP_ACCEPT) accepted = completion.result;
            return wrong.alteration(completion);
        });
        SelfTestReport report{};
        const Result<void> tested = run_self_test(ring, system, report);
        if (accepted >= 0) system.close(accepted);  // nobody else knows its number
        ASSERT_FALSE(tested) << wrong.words;
        expect_named(tested.error(), wrong.words);
        expect_reported(report, step_of(tested.error()));
    }

    static bool is_accepted_anyhow(const Wrong& wrong) {
        const bool is_result = std::string(wrong.words) == "a wrong result";
        return GetParam().opcode == IORING_OP_ACCEPT && is_result;
    }

private:
    void expect_named(Error error, const char* words) {
        EXPECT_EQ(refusal(error).c_str(),
                  std::string("io_uring cannot be used: it does not work in this kernel "
                              "(self-test, ") +
                      GetParam().step + ": " + words +
                      "); boot another kernel (uname -r tells which one runs)");
        EXPECT_STREQ(text(step_of(error)), GetParam().step);
    }
    static void expect_reported(const SelfTestReport& report, SelfTestStep failed) {
        for (std::size_t i = 0; i < self_test_steps; ++i) {
            const auto step = static_cast<SelfTestStep>(i);
            EXPECT_EQ(report[i], step < failed    ? SelfTestOutcome::passed
                                 : step == failed ? SelfTestOutcome::failed
                                                  : SelfTestOutcome::not_tried);
        }
    }
};

std::string answer_name(const ::testing::TestParamInfo<Answer>& info) {
    std::string name = info.param.step + ("_" + std::to_string(info.index));
    for (char& each : name) {
        if (each == ' ') each = '_';
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(SelfTest, Wrongs, ::testing::ValuesIn(answers), answer_name);

TEST_P(Wrongs, an_answer_that_is_altered_is_found_and_nothing_stays_open) {
    for (const Wrong& wrong : wrongs) {
        if (is_accepted_anyhow(wrong)) continue;  // any number may be a descriptor
        World world;
        const unsigned open = world.open_descriptors();
        expect_found(world.ring, world.system, wrong);
        EXPECT_EQ(world.open_descriptors(), open) << wrong.words;
    }
}

TEST_P(Wrongs, an_operation_that_fails_is_found_and_nothing_stays_open) {
    const Answer& answer = GetParam();
    World world;
    const unsigned open = world.open_descriptors();
    world.fail_nth(answer.opcode, answer.nth, EINVAL);
    expect_found(world.ring, world.system, {"Invalid argument", [](Completion&) { return true; }});
    EXPECT_EQ(world.open_descriptors(), open);
}

TEST_P(Wrongs, an_answer_that_never_comes_is_waited_for_two_seconds_and_told) {
    World world;
    const unsigned open = world.open_descriptors();
    const Instant start = world.now();
    expect_found(world.ring, world.system, lost);
    EXPECT_LE(world.now() - start, 4'000'000'000);
    EXPECT_EQ(world.open_descriptors(), open);
}

using KernelWrongs = Wrongs;
INSTANTIATE_TEST_SUITE_P(KernelSelfTest, KernelWrongs, ::testing::ValuesIn(answers), answer_name);

TEST_P(KernelWrongs, an_answer_that_is_altered_is_found_and_nothing_stays_open) {
    for (const Wrong& wrong : wrongs) {
        if (is_accepted_anyhow(wrong)) continue;
        const std::size_t open = open_here();
        {
            KernelRing ring;
            const Result<void> opened = ring.open({16, 64}, 1, 1);
            if (!opened) GTEST_SKIP() << refusal(opened.error()).c_str();
            KernelSystem system;
            expect_found(ring, system, wrong);
        }
        EXPECT_EQ(open_here(), open) << wrong.words;
    }
}

struct Found {
    SelfTestStep step;
    SelfTestFault fault;
    friend bool operator==(Found, Found) = default;
};

Found found_by(Ring& ring, System& system) {
    SelfTestReport report{};
    const Result<void> tested = run_self_test(ring, system, report);
    EXPECT_FALSE(tested);
    if (tested) return {};
    EXPECT_EQ(tested.error().domain(), Domain::self_test);
    return {step_of(tested.error()), fault_of(tested.error())};
}

TEST(SelfTest, finds_a_completion_that_does_not_end_a_sleep) {
    World world;
    WrongRing ring(world.ring);
    ring.on_enter = [&](Ring& right, unsigned, Nanoseconds timeout) {
        const Instant limit = later(world.now(), timeout);
        right.enter(Ring::Wait::for_one, timeout);
        if (world.now() < limit) world.advance_to(limit);
    };
    EXPECT_EQ(found_by(ring, world.system),
              (Found{SelfTestStep::timeout, SelfTestFault::late}));
}

TEST(SelfTest, finds_a_time_limit_that_does_not_end_a_sleep) {
    World world;
    WrongRing ring(world.ring);
    ring.on_enter = [](Ring& right, unsigned, Nanoseconds) {
        right.enter(Ring::Wait::for_one, Nanoseconds::max());
    };
    EXPECT_EQ(found_by(ring, world.system), (Found{SelfTestStep::wait, SelfTestFault::late}));
}

TEST(SelfTest, finds_an_answer_that_comes_twice) {
    World world;
    WrongRing ring(world.ring);
    std::uint64_t first = 0;
    ring.on_completion = [&](int opcode, Completion& completion) {
        if (opcode == IORING_OP_NOP) first = completion.user_data;
        if (opcode == IORING_OP_TIMEOUT) completion.user_data = first;
        return true;
    };
    EXPECT_EQ(found_by(ring, world.system),
              (Found{SelfTestStep::timeout, SelfTestFault::user_data}));
}

TEST(SelfTest, finds_a_read_that_writes_elsewhere) {
    World world;
    WrongRing ring(world.ring);
    char elsewhere[64]{};
    ring.on_submission = [&](io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_READ) return;
        sqe.addr = reinterpret_cast<std::uintptr_t>(elsewhere);
    };
    EXPECT_EQ(found_by(ring, world.system),
              (Found{SelfTestStep::pipe_read, SelfTestFault::bytes}));
}

// ---- what says nothing about the ring ----

TEST(SelfTest, tells_a_want_of_descriptors_as_such) {
    World world;
    const unsigned open = world.open_descriptors();
    constexpr unsigned needed = 3;
    for (unsigned spare = 0; spare < needed; ++spare) {
        world.set_descriptor_limit(open + spare);
        SelfTestReport report{};
        const Result<void> tested = run_self_test(world.ring, world.system, report);
        ASSERT_FALSE(tested) << spare;
        EXPECT_EQ(tested.error(), Error::kernel(EMFILE)) << spare;
        for (const SelfTestOutcome each : report) EXPECT_NE(each, SelfTestOutcome::failed);
        EXPECT_EQ(world.open_descriptors(), open);
    }
    world.set_descriptor_limit(open + needed);
    expect_passed(world.ring, world.system);
}

TEST(SelfTest, tells_a_want_of_memory_as_such) {
    for (const Answer& answer : answers) {
        World world;
        world.fail_nth(answer.opcode, answer.nth, ENOMEM);
        SelfTestReport report{};
        const Result<void> tested = run_self_test(world.ring, world.system, report);
        ASSERT_FALSE(tested) << answer.step;
        EXPECT_EQ(tested.error(), Error::kernel(ENOMEM)) << answer.step;
    }
}

TEST(SelfTest, leaves_accept_out_where_a_sandbox_denies_it) {
    for (const int opcode : {IORING_OP_CONNECT, IORING_OP_ACCEPT}) {
        World world;
        const unsigned open = world.open_descriptors();
        world.fail_next(opcode, opcode == IORING_OP_CONNECT ? EACCES : EPERM);
        SelfTestReport report{};
        EXPECT_TRUE(run_self_test(world.ring, world.system, report));
        EXPECT_EQ(outcome_of(report, SelfTestStep::poll), SelfTestOutcome::passed);
        EXPECT_EQ(outcome_of(report, SelfTestStep::accept), SelfTestOutcome::left_out);
        EXPECT_EQ(world.open_descriptors(), open);
        EXPECT_EQ(world.ring.in_flight(), 0u);
    }
}

// ---- words ----

TEST(SelfTest, has_a_whole_sentence_for_each_step_and_fault) {
    constexpr auto last = static_cast<unsigned>(SelfTestFault::no_answer);
    for (std::size_t step = 0; step < self_test_steps; ++step) {
        for (unsigned fault = 0; fault <= last; ++fault) {
            const Error error =
                self_test_error(static_cast<SelfTestStep>(step), static_cast<SelfTestFault>(fault),
                                std::errc::too_many_symbolic_link_levels);
            const std::string words = refusal(error).c_str();
            EXPECT_TRUE(words.ends_with("(uname -r tells which one runs)")) << words;
            EXPECT_EQ(words.find("unknown"), std::string::npos) << words;
        }
    }
}

}  // namespace
}  // namespace ringlet
