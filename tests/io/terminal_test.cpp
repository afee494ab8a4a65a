// Serial lines: a pty on the kernel, and the simulated one.
#include <io/io_cases.hpp>

#include <ringlet/io/line_reader.hpp>
#include <ringlet/io/terminal.hpp>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>

using namespace ringlet;
using namespace ringlet::support;

namespace {

// The other end of a line: the device's.
class Device {
public:
    virtual ~Device() = default;
    virtual const char* path() const = 0;
    virtual void send(std::string_view text) = 0;
    // What the program has written, all of it.
    virtual std::string received(std::size_t size) = 0;
    virtual bool is_raw() = 0;
    virtual void hang_up() = 0;
};

class PseudoTerminal final : public Device {
public:
    PseudoTerminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        EXPECT_GE(master_, 0);
        EXPECT_EQ(::grantpt(master_), 0);
        EXPECT_EQ(::unlockpt(master_), 0);
        EXPECT_EQ(::ptsname_r(master_, path_, sizeof path_), 0);
    }
    ~PseudoTerminal() override { hang_up(); }
    const char* path() const override { return path_; }
    void send(std::string_view text) override {
        EXPECT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::string received(std::size_t size) override {
        while (text_.size() < size) {
            char buffer[64];
            pollfd ready{.fd = master_, .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, 1000) != 1) break;
            const ssize_t count = ::read(master_, buffer, sizeof buffer);
            if (count <= 0) break;
            text_.append(buffer, static_cast<std::size_t>(count));
        }
        return text_;
    }
    bool is_raw() override {
        termios settings{};
        EXPECT_EQ(::tcgetattr(master_, &settings), 0);
        return (settings.c_lflag & (ICANON | ECHO | ISIG)) == 0;
    }
    void hang_up() override {
        if (master_ >= 0) ::close(std::exchange(master_, -1));
    }

private:
    int master_;
    char path_[64]{};
    std::string text_;
};

class SimulatedDevice final : public Device {
public:
    explicit SimulatedDevice(ringlet::testing::World& world)
        : line_((world.make_folder("/dev"), world.make_terminal("/dev/ttyS0"))) {}
    const char* path() const override { return "/dev/ttyS0"; }
    void send(std::string_view text) override { line_.feed(text); }
    std::string received(std::size_t) override { return std::string(line_.written()); }
    bool is_raw() override { return line_.is_raw(); }
    void hang_up() override { line_.hang_up(); }

private:
    ringlet::testing::TerminalLine& line_;
};

using Talk = Task<void> (*)(Device& device);

void on_simulation(Talk talk) {
    ringlet::testing::Simulation simulation;
    SimulatedDevice device(simulation.world());
    EXPECT_EQ(simulation.run<case_limits>(talk, std::ref(static_cast<Device&>(device))), 0)
        << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

}  // namespace

// The tests Terminal.<name>_kernel and Terminal.<name>_simulated.
#define TERMINAL_CASE(name)                                                                        \
    static Task<void> name(Device& device);                                                        \
    TEST(Terminal, name##_kernel) {                                                                \
        PseudoTerminal device;                                                                     \
        RINGLET_RUN_ON_KERNEL(case_runtime, name, std::ref(static_cast<Device&>(device)));         \
    }                                                                                              \
    TEST(Terminal, name##_simulated) {                                                             \
        on_simulation(name);                                                                       \
    }                                                                                              \
    static Task<void> name(Device& device)

TERMINAL_CASE(carries_bytes_both_ways) {
    {
        auto line = co_await Terminal::open(device.path());
        EXPECT_TRUE(device.is_raw());
        device.send("\x03\x04 one\r");  // a terminal that is not raw would make much of these
        std::array<std::byte, 16> buffer;
        std::size_t count = 0;
        while (count < 7) {
            const std::size_t more = co_await line.read(std::span(buffer).subspan(count));
            EXPECT_GT(more, 0u);
            count += more;
        }
        EXPECT_EQ(text_of(std::span(buffer).first(count)), "\x03\x04 one\r");
        co_await line.write_all(bytes_of("two\n"));
        const Unsealed unsealed;
        EXPECT_EQ(device.received(4), "two\n");
    }
    co_await expect_descriptors(0);
}

TERMINAL_CASE(is_a_source_of_lines) {
    auto line = co_await Terminal::open(device.path());
    std::array<char, 32> storage;
    LineReader lines(line, storage);
    device.send("$GPGGA,1\n$GPG");
    const auto first = co_await lines.next();
    EXPECT_EQ(first, "$GPGGA,1");
    const auto cut = co_await attempt(timeout(5ms, lines.next()));
    EXPECT_EQ(error_of(cut), std::errc::timed_out);
    device.send("SV\n");
    const auto second = co_await lines.next();
    EXPECT_EQ(second, "$GPGSV");
}

TERMINAL_CASE(ends_when_the_line_is_hung_up) {
    auto line = co_await Terminal::open(device.path());
    std::array<std::byte, 16> buffer;
    std::size_t count = 99;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto read = [&]() -> Task<void> { count = co_await line.read(buffer); };
        (void)group.spawn(std::ref(read));
        co_await sleep(5ms);
        EXPECT_EQ(count, 99u);
        device.hang_up();
        co_await sleep(5ms);
    });
    EXPECT_EQ(count, 0u);
    const auto again = co_await line.read(buffer);
    EXPECT_EQ(again, 0u);
    const auto written = co_await attempt(line.write_all(bytes_of("x")));
    EXPECT_EQ(error_of(written), std::errc::io_error);
}

TERMINAL_CASE(loses_nothing_when_a_read_is_cancelled) {
    {
        auto line = co_await Terminal::open(device.path());
        std::array<std::byte, 16> buffer;
        auto read = [&]() -> Task<void> { (void)co_await line.read(buffer); };
        const bool got = co_await cancel_in_flight(read);
        EXPECT_FALSE(got);
        auto open = [&]() -> Task<void> { (void)co_await Terminal::open(device.path()); };
        co_await cancel_in_flight(open);
        device.send("kept");
        const auto count = co_await line.read(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(count)), "kept");
    }
    co_await expect_descriptors(0);
}

TERMINAL_CASE(is_left_as_it_is_if_not_asked_to_be_raw) {
    auto line = co_await Terminal::open(device.path(), {.raw = false});
    EXPECT_TRUE(line.is_open());
    EXPECT_FALSE(device.is_raw());
    co_await line.close();
    EXPECT_FALSE(line.is_open());
    co_await expect_descriptors(0);
}

RINGLET_CASE(Terminal, is_refused_where_there_is_none) {
    {
        const TestFolder folder = co_await make_test_folder();
        const auto path = folder / "file";
        const auto missing = co_await attempt(Terminal::open(path));
        EXPECT_EQ(error_of(missing), std::errc::no_such_file_or_directory);
        auto file = co_await File::open(path, OpenMode::replace);
        const auto plain = co_await attempt(Terminal::open(path));
        EXPECT_EQ(error_of(plain), std::errc::inappropriate_io_control_operation);
        const auto cooked = co_await attempt(Terminal::open(path, {.raw = false}));
        EXPECT_EQ(error_of(cooked), std::errc::inappropriate_io_control_operation);
        const FullDescriptors full;
        const auto over = co_await attempt(Terminal::open(path));
        expect_descriptor_limit(error_of(over));
    }
    co_await expect_descriptors(0);
}

// The other side of a pty is a terminal, too: its hang-up is an EIO.
TEST(Terminal, ends_when_the_other_side_of_a_pty_is_closed_kernel) {
    PseudoTerminal device;
    RINGLET_RUN_ON_KERNEL(case_runtime, [&]() -> Task<void> {
        const int master = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        EXPECT_GE(master, 0);
        EXPECT_EQ(::unlockpt(master), 0);
        EXPECT_TRUE(scheduler().reserve_descriptor());
        Terminal line{Descriptor(master)};
        char path[64];
        EXPECT_EQ(::ptsname_r(master, path, sizeof path), 0);
        std::array<std::byte, 16> buffer;
        {
            auto slave = co_await Terminal::open(path);
            co_await slave.write_all(bytes_of("last"));
            const auto last = co_await line.read(buffer);
            EXPECT_EQ(last, 4u);
            co_await slave.close();
        }
        const auto end = co_await line.read(buffer);
        EXPECT_EQ(end, 0u);
    });
}
