// The driver on the kernel's GPIO chardev, against its simulated chip "lab" (gpio-sim), which
// tools/boards/simulated-hardware makes.
#include "gpio/gpio_cases.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

namespace ringlet::support {
namespace {

constexpr const char* lab = "/run/ringlet/lab/sim_gpio";

std::string attribute(unsigned line, const char* name) {
    return lab + std::to_string(line) + "/" + name;
}

// The other end of an input's wire.
class Wire {
public:
    explicit Wire(unsigned line, bool up = false) {
        const Unsealed for_the_path;
        file_ = ::open(attribute(line, "pull").c_str(), O_WRONLY | O_CLOEXEC);
        EXPECT_GE(file_, 0);
        pull(up);
    }
    Wire(const Wire&) = delete;
    ~Wire() { ::close(file_); }

    void pull(bool up) {
        const std::string_view word = up ? "pull-up" : "pull-down";
        EXPECT_EQ(::pwrite(file_, word.data(), word.size(), 0), static_cast<ssize_t>(word.size()));
    }

private:
    int file_ = -1;
};

bool level(unsigned line) {
    const Unsealed for_the_file;
    std::ifstream file(attribute(line, "value"));
    int value = -1;
    file >> value;
    EXPECT_TRUE(value == 0 || value == 1);
    return value == 1;
}

Runtime<gpio_limits> kernel_runtime;

class KernelGpio : public ::testing::Test {
protected:
    void SetUp() override {
        if (!std::ifstream(attribute(0, "value")).good()) {
            GTEST_SKIP() << "no simulated GPIO chip: tools/boards/simulated-hardware makes it";
        }
    }
};

TEST_F(KernelGpio, chip_is_found_by_its_label) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        const auto chip = co_await gpio::Chip::open("lab");
        EXPECT_EQ(chip.lines(), 8u);
        auto lamp = co_await gpio::Lines::open_output(pin(1), {.consumer = "lamp"});
        const auto line = chip.line(1);
        EXPECT_TRUE(line && line->is_used() && line->is_output());
        EXPECT_STREQ(line->consumer, "lamp");
        const auto again = co_await attempt(gpio::Lines::open_input(pin(1)));
        EXPECT_EQ(number_of(again), EBUSY);
    });
}

TEST_F(KernelGpio, outputs_are_set_and_inputs_read) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        const BoardPin lamps[] = {pin(1), pin(4, true)};
        auto outputs = co_await gpio::Lines::open_outputs(lamps, {.values = 0b11});
        EXPECT_TRUE(level(1));
        EXPECT_FALSE(level(4));
        co_await outputs.set(0b00, 0b10);
        EXPECT_TRUE(level(1));
        EXPECT_TRUE(level(4));
        const Wire wires[] = {Wire(2, true), Wire(3, true)};
        const BoardPin buttons[] = {pin(2), pin(3, true)};
        auto inputs = co_await gpio::Lines::open_inputs(buttons);
        const auto values = co_await inputs.get();
        EXPECT_EQ(values, 0b01u);
        co_await outputs.reconfigure(gpio::InputOptions{});
        const auto set = co_await attempt(outputs.set(1));
        EXPECT_EQ(number_of(set), EPERM);
    });
}

TEST_F(KernelGpio, edges_come_with_their_times_in_order) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        Wire wire(2);
        auto button = co_await gpio::Lines::open_input(pin(2), {.edges = gpio::Edges::both});
        Instant last = scheduler().now(Clock::monotonic);
        for (unsigned i = 1; i <= 100; ++i) {
            const auto early = co_await attempt(timeout(i % 10 == 0 ? 1ms : 0ms, button.next()));
            EXPECT_EQ(number_of(early), ETIMEDOUT);
            wire.pull(i % 2 == 1);
            const auto event = co_await timeout(10s, button.next());
            EXPECT_EQ(event.is_rising(), i % 2 == 1);
            EXPECT_EQ(event.offset, 2u);
            EXPECT_EQ(event.seqno, i);
            EXPECT_GT(event.at(), last);
            last = event.at();
        }
        EXPECT_EQ(button.lost(), 0u);
    });
}

// On four lines, one at a time on each: gpio-sim merges edges that come while another is handled.
TEST_F(KernelGpio, edges_are_seen_each_of_ten_thousand) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        Wire wires[] = {Wire(2), Wire(3), Wire(5), Wire(6)};
        const BoardPin pins[] = {pin(2), pin(3), pin(5), pin(6)};
        auto buttons = co_await gpio::Lines::open_inputs(pins, {.edges = gpio::Edges::both});
        std::array<gpio::Event, 8> events;
        unsigned seen = 0;
        while (seen < 10'000 && buttons.lost() == 0) {
            const unsigned goal = seen + 4;
            for (Wire& wire : wires) wire.pull(goal % 8 == 4);
            while (seen < goal) {
                const std::size_t more = co_await timeout(10s, buttons.read(events));
                seen += static_cast<unsigned>(more);
            }
        }
        EXPECT_EQ(seen, 10'000u);
        EXPECT_EQ(buttons.lost(), 0u);
    });
}

// One edge at a time, since gpio-sim merges those that come while another is handled: each is told
// by its interrupt, and waits in the kernel until it is read or has to go.
TEST_F(KernelGpio, edges_that_were_lost_are_counted) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        Wire wire(2);
        auto seen = co_await gpio::Lines::open_input(pin(2), {.edges = gpio::Edges::both});
        const auto toggle = [&](unsigned count, bool reads) -> Task<unsigned> {
            unsigned read = 0;
            for (unsigned i = 0; i < count; ++i) {
                wire.pull(i % 2 == 0);
                if (!reads) {
                    co_await sleep(2ms);
                    continue;
                }
                const auto event = co_await timeout(10s, seen.next());
                read += event.seqno != 0 ? 1 : 0;
            }
            co_return read;
        };
        const unsigned read = co_await toggle(50, true);
        EXPECT_EQ(read, 50u);
        co_await toggle(40, false);
        std::array<gpio::Event, 64> events;
        const std::size_t left = co_await timeout(10s, seen.read(events));
        EXPECT_EQ(left, 16u);
        const std::uint32_t last = events[left - 1].seqno;
        EXPECT_EQ(50 + left + seen.lost(), last);
        EXPECT_GT(seen.lost(), 0u);
    });
}

TEST_F(KernelGpio, edges_go_on_after_they_were_turned_off_and_on) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        constexpr gpio::InputOptions both{.edges = gpio::Edges::both};
        Wire wire(2);
        auto button = co_await gpio::Lines::open_input(pin(2), both);
        wire.pull(true);
        const auto first = co_await timeout(10s, button.next());
        EXPECT_EQ(first.seqno, 1u);
        co_await button.reconfigure(gpio::InputOptions{});
        wire.pull(false);
        co_await button.reconfigure(both);
        wire.pull(true);
        const auto second = co_await timeout(10s, button.next());
        EXPECT_TRUE(second.is_rising());
        EXPECT_EQ(button.lost(), 0u);
    });
}

TEST_F(KernelGpio, a_debounced_line_tells_only_what_stays) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        Wire wire(2);
        auto button = co_await gpio::Lines::open_input(
            pin(2), {.edges = gpio::Edges::both, .debounce = 100ms});
        for (int i = 0; i < 6; ++i) wire.pull(i % 2 == 0);
        wire.pull(true);
        const auto event = co_await timeout(10s, button.next());
        EXPECT_TRUE(event.is_rising());
        EXPECT_EQ(event.seqno, 1u);
    });
}

TEST_F(KernelGpio, requests_of_a_lane_are_made_there) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        Lane lane;
        auto lamp = co_await gpio::Lines::open_output(pin(1), {.values = 1, .lane = &lane});
        EXPECT_TRUE(level(1));
        co_await lamp.set(0);
        EXPECT_FALSE(level(1));
    });
}

}  // namespace
}  // namespace ringlet::support
