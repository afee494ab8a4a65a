// The driver on the kernel's virtual bus vcan0, which tools/boards/simulated-hardware makes, and
// beside can-utils, where they are.
//
// RINGLET_CAN_FRAMES=1000000 sends so many at full rate; else 100,000.
#include "can/can_cases.hpp"

#include <linux/can.h>
#include <net/if.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>

namespace ringlet::support {
namespace {

constexpr const char* interface = "vcan0";

Runtime<can_limits> kernel_runtime;

class KernelCan : public ::testing::Test {
protected:
    void SetUp() override {
        if (!std::ifstream("/sys/class/net/vcan0/ifindex").good()) {
            GTEST_SKIP() << "no virtual CAN bus: tools/boards/simulated-hardware makes it";
        }
    }
};

TEST_F(KernelCan, carries_frames_between_sockets) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        const can::Filter mine[] = {{.id = 0x120, .mask = 0x7f0}};
        auto one = co_await can::Socket::open(interface, {.receive_own = true});
        auto other = co_await can::Socket::open(interface, {.filters = mine});
        const Instant begin = scheduler().now(Clock::realtime);
        co_await one.send(make_frame(0x200, some_bytes(1)));
        co_await one.send(make_frame(0x123, some_bytes(2, 3)));
        const can::Received got = co_await timeout(10s, other.receive());
        EXPECT_EQ(got.frame.id, 0x123u);
        EXPECT_EQ(got.frame.size, 2u);
        EXPECT_EQ(got.frame.data[1], std::byte{3});
        EXPECT_TRUE(got.from_here && !got.own);
        EXPECT_GE(got.at, begin);
        const can::Received own = co_await timeout(10s, one.receive());
        EXPECT_TRUE(own.own);
        EXPECT_EQ(own.frame.id, 0x200u);
        const auto none = co_await attempt(timeout(10ms, other.receive()));
        EXPECT_EQ(number_of(none), ETIMEDOUT);
    });
}

TEST_F(KernelCan, refuses_what_is_not_there) {
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        EXPECT_EQ(number_of(can::Socket::open("can77")), ENODEV);
        EXPECT_EQ(number_of(can::Socket::open("lo")), ENODEV);
        co_return;
    });
}

unsigned frames_asked() {
    const char* const asked = std::getenv("RINGLET_CAN_FRAMES");
    return asked != nullptr ? static_cast<unsigned>(std::strtoul(asked, nullptr, 10)) : 100'000;
}

bool has_tools() {
    return ::access("/usr/bin/cangen", X_OK) == 0 && ::access("/usr/bin/candump", X_OK) == 0;
}

void run_tool(const char* command) {
    EXPECT_EQ(std::system(command), 0) << command;
}

// At full rate, on a thread of its own; each frame has its number.
void* send_frames(void* count) {
    if (has_tools()) {
        char command[128];
        std::snprintf(command, sizeof command, "/usr/bin/cangen %s -g 0 -I 123 -L 8 -D i -n %u",
                      interface, *static_cast<unsigned*>(count));
        run_tool(command);
        return nullptr;
    }
    const int bus = ::socket(AF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);
    sockaddr_can name{};
    name.can_family = AF_CAN;
    name.can_ifindex = static_cast<int>(::if_nametoindex(interface));
    EXPECT_EQ(::bind(bus, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    const unsigned frames = *static_cast<unsigned*>(count);
    for (unsigned number = 0; number < frames; ++number) {
        can_frame frame{};
        frame.can_id = 0x123;
        frame.len = sizeof number;
        std::memcpy(frame.data, &number, sizeof number);
        while (::write(bus, &frame, sizeof frame) < 0) EXPECT_EQ(errno, ENOBUFS);
    }
    ::close(bus);
    return nullptr;
}

// What candump(1) prints of the first frame that it sees.
struct Dump {
    char line[128] = "";
    std::atomic<bool> done = false;
};

void* dump_one(void* argument) {
    Dump& dump = *static_cast<Dump*>(argument);
    std::FILE* const pipe = ::popen("/usr/bin/candump -n 1 vcan0", "re");
    EXPECT_NE(std::fgets(dump.line, sizeof dump.line, pipe), nullptr);
    EXPECT_EQ(::pclose(pipe), 0);
    dump.done = true;
    return nullptr;
}

TEST_F(KernelCan, understands_and_is_understood_by_can_utils) {
    if (!has_tools()) GTEST_SKIP() << "no can-utils";
    static Dump dump;
    static pthread_t dumper;
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto bus = co_await can::Socket::open(interface);
        {
            const Unsealed for_the_tools;
            run_tool("/usr/bin/cansend vcan0 1ABCDEF0#DEADBEEF");
        }
        const can::Received got = co_await timeout(10s, bus.receive());
        EXPECT_TRUE(got.frame.extended);
        EXPECT_EQ(got.frame.id, 0x1abcdef0u);
        EXPECT_TRUE(std::ranges::equal(got.frame.bytes(), some_bytes(0xde, 0xad, 0xbe, 0xef)));
        {
            const Unsealed for_the_thread;
            EXPECT_EQ(::pthread_create(&dumper, nullptr, dump_one, &dump), 0);
        }
        while (!dump.done) {  // until it listens
            co_await bus.send(make_frame(0x321, some_bytes(0x12, 0x34)));
            co_await sleep(20ms);
        }
    });
    ::pthread_join(dumper, nullptr);
    const std::string_view line = dump.line;
    EXPECT_NE(line.find("321   [2]  12 34"), line.npos) << line;
}

TEST_F(KernelCan, receives_or_counts_as_lost_each_frame_at_full_rate) {
    static unsigned frames = frames_asked();
    static pthread_t sender;
    RINGLET_RUN_ON_KERNEL(kernel_runtime, []() -> Task<void> {
        auto bus = co_await can::Socket::open(interface);
        auto last = co_await can::Socket::open(interface);
        {
            const Unsealed for_the_thread;
            EXPECT_EQ(::pthread_create(&sender, nullptr, send_frames, &frames), 0);
        }
        static std::array<can::Received, 32> some;
        std::uint64_t seen = 0;
        unsigned next = 0;
        for (;;) {
            const auto count = co_await attempt(timeout(5s, bus.receive(some)));
            if (!count) break;
            for (const can::Received& got : std::span(some).first(*count)) {
                unsigned number = 0;
                std::memcpy(&number, got.frame.data.data(), sizeof number);
                EXPECT_GE(number, next);  // in order, none twice
                next = number + 1;
            }
            seen += *count;
        }
        // Each frame tells of those that were lost before it; so one more does.
        co_await last.send(make_frame(0x124, {}));
        co_await timeout(10s, bus.receive());
        EXPECT_EQ(seen + bus.lost(), std::uint64_t{frames});
        EXPECT_GT(seen, 0u);
        std::printf("%llu received, %llu lost\n", static_cast<unsigned long long>(seen),
                    static_cast<unsigned long long>(bus.lost()));
    });
    ::pthread_join(sender, nullptr);
}

}  // namespace
}  // namespace ringlet::support
