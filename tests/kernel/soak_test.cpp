// A crowd of tasks that do everything at once on the kernel's ring, with limits too small for it,
// and are cancelled at times. What each of them decides comes from one seed; when things happen is
// the kernel's. Nothing is left behind in the end.
#include <kernel/kernel_cases.hpp>

#include <ringlet/testing/random.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>

using namespace ringlet;
using namespace ringlet::support;

namespace {

constexpr std::uint64_t seed = 20'240'607;
constexpr unsigned crowd = 160;         // at a time
constexpr unsigned tasks_in_all = 800;
constexpr unsigned steps = 20;          // of each

constexpr Limits limits{
    .tasks = 3 * crowd,
    .operations = 80,
    .descriptors = 200,
    .frames = {{128, 2000}, {256, 4000}, {512, 3000}, {1024, 1500}, {2048, 600}, {8192, 80}}};
Runtime<limits> runtime;

// Errors that the bounds above make, which are no faults.
bool is_expected(Error error) {
    return error == std::errc::timed_out || error == std::errc::operation_canceled ||
           error == RuntimeDetail::descriptors || error == RuntimeDetail::frames ||
           error == RuntimeDetail::tasks;
}

void expect_expected(Error error, const char* step) {
    EXPECT_TRUE(is_expected(error)) << step << ": " << text(error);
}

struct Counts {
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t echoes = 0;
    std::uint64_t files = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t refused = 0;  // steps that met a bound
    std::uint64_t cancelled = 0;
    std::uint64_t finished = 0;
};

struct World {
    explicit World(const char* where) : folder(where) {}
    const char* folder;
    SocketAddress address;
    Queue<unsigned, 16> queue;
    Counts counts;
};

// What one task decides.
class Dice {
public:
    explicit Dice(std::uint64_t start) : random_(start) {}
    std::size_t below(std::size_t bound) {
        return static_cast<std::size_t>(random_.between(0, bound - 1));
    }

private:
    ringlet::testing::Random random_;
};

std::chrono::microseconds up_to(Dice& random, std::size_t microseconds) {
    return std::chrono::microseconds(random.below(microseconds));
}

// --- the steps

Task<void> move_bytes(PipeWriter& writer, unsigned count) {
    std::array<std::byte, 3000> bytes;
    bytes.fill(std::byte{7});
    for (unsigned i = 0; i < count; ++i) co_await writer.write_all(bytes);
    co_await writer.close();
}

Task<unsigned> drain_bytes(PipeReader& reader) {
    std::array<std::byte, 700> bytes;
    unsigned sum = 0;
    for (;;) {
        const std::size_t count = co_await reader.read(bytes);
        if (count == 0) break;
        for (const std::byte each : std::span(bytes).first(count)) sum += each == std::byte{7};
    }
    co_return sum;
}

Task<void> use_a_pipe(World& world, Dice& random) {
    const auto count = static_cast<unsigned>(random.below(40));
    auto pipe = co_await Pipe::open();
    const auto both = co_await gather(move_bytes(pipe.writer, count), drain_bytes(pipe.reader));
    EXPECT_EQ(std::get<1>(both), count * 3000);
    world.counts.bytes_sent += std::get<1>(both);
}

// Asks the echo server, and waits for an answer that may come too late.
Task<void> use_a_socket(World& world, Dice& random) {
    auto socket = co_await TcpSocket::connect(world.address);
    for (auto rounds = random.below(4); rounds > 0; --rounds) {
        char text[24] = {};
        std::snprintf(text, sizeof text, "%llu",
                      static_cast<unsigned long long>(random.below(1'000'000'000)));
        const auto question = std::as_bytes(std::span(text));
        co_await socket.send_all(question);
        std::array<std::byte, sizeof text> answer;
        co_await read_exactly(socket, answer);
        EXPECT_EQ(std::memcmp(answer.data(), text, sizeof text), 0);
        ++world.counts.echoes;
    }
    if (random.below(2) == 0) co_await socket.close();
}

Task<void> wait_in_vain(World& world, Dice& random) {
    auto socket = co_await TcpSocket::connect(world.address);
    std::array<std::byte, 8> buffer;
    const auto received =
        co_await attempt(timeout(up_to(random, 2000), socket.receive(buffer)));
    EXPECT_EQ(error_of(received), std::errc::timed_out);
    ++world.counts.timeouts;
    co_await socket.send_all(bytes_of("then"));
    const std::size_t echoed = co_await socket.receive(buffer);
    EXPECT_GT(echoed, 0u);
}

Task<void> put_some(World& world, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        co_await world.queue.put(i);
        ++world.counts.put;
    }
}

Task<void> get_some(World& world, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        (void)co_await world.queue.get();
        ++world.counts.got;
    }
}

Task<void> use_the_queue(World& world, Dice& random) {
    const auto count = static_cast<unsigned>(random.below(20));
    co_await gather(put_some(world, count), get_some(world, count));
}

struct FileName {
    FileName(const World& world, unsigned number) {
        std::snprintf(text, sizeof text, "%s/%u", world.folder, number);
    }
    char text[128];
};

// Files are each task's own; a step that was cut short leaves a part.
Task<void> use_a_file(World& world, Dice& random, unsigned number) {
    const FileName name(world, number);
    std::array<std::byte, 1500> bytes;
    bytes.fill(static_cast<std::byte>(random.below(256)));
    const auto size = random.below(bytes.size());
    const auto written = std::span(bytes).first(size);
    if (random.below(16) == 0) {
        co_await write_atomic(name.text, written);
    } else {
        auto write = [&](File& file) -> Task<void> { co_await file.write_all(written); };
        co_await with(File::open(name.text, OpenMode::replace), write);
    }
    std::array<std::byte, sizeof bytes> back;
    const auto read = co_await read_file(name.text, back);
    EXPECT_TRUE(std::ranges::equal(read, written));
    ++world.counts.files;
}

Task<void> race_about(World& world, Dice& random) {
    auto pipe = co_await Pipe::open();
    std::byte byte{};
    const auto raced = co_await race(pipe.reader.read(std::span(&byte, 1)),
                                     sleep(up_to(random, 500)),
                                     timeout(up_to(random, 500), world.queue.join()));
    EXPECT_LT(raced.first, 3u);
    EXPECT_FALSE(std::get<0>(raced.outcomes).has_value());  // nobody writes
}

Task<void> rest(std::chrono::microseconds span) {
    co_await sleep(span);
}

Task<void> cancel_children(World&, Dice& random) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (int i = 0; i < 3; ++i) {
            auto child = group.try_spawn(rest, up_to(random, 1000));
            if (child && random.below(2) == 0) child->cancel();
        }
        co_await sleep(up_to(random, 300));
        group.cancel_tasks();
    });
}

Task<void> one_step(World& world, Dice& random, unsigned number) {
    switch (random.below(8)) {
        case 0: co_await use_a_pipe(world, random); break;
        case 1: co_await use_a_socket(world, random); break;
        case 2: co_await wait_in_vain(world, random); break;
        case 3: co_await use_the_queue(world, random); break;
        case 4: co_await use_a_file(world, random, number); break;
        case 5: co_await race_about(world, random); break;
        case 6: co_await cancel_children(world, random); break;
        default: co_await rest(up_to(random, 1000)); break;
    }
}

// --- the crowd

struct Finished {
    explicit Finished(Counts& whose) : counts(whose) {}
    ~Finished() { to_its_end ? ++counts.finished : ++counts.cancelled; }
    Counts& counts;
    bool to_its_end = false;
};

Task<void> live(World& world, unsigned number) {
    Finished finished(world.counts);
    Dice random(seed * 1000 + number);
    for (unsigned i = 0; i < steps; ++i) {
        const auto patience = up_to(random, random.below(4) == 0 ? 5'000 : 500'000);
        const auto step = co_await attempt(timeout(patience, one_step(world, random, number)));
        if (!step) {
            expect_expected(step.error(), "step");
            step.error() == std::errc::timed_out ? ++world.counts.timeouts : ++world.counts.refused;
            co_await rest(5ms);
        }
    }
    finished.to_its_end = true;
}

Task<void> echo(TcpSocket& socket) {
    std::array<std::byte, 64> buffer;
    for (;;) {
        const std::size_t count = co_await socket.receive(buffer);
        if (count == 0) break;
        co_await socket.send_all(std::span(buffer).first(count));
    }
}

// Clients leave in the middle of an answer.
Task<void> serve(TcpSocket socket) {
    const auto served = co_await attempt(timeout(2s, echo(socket)));
    if (served || is_expected(served.error())) co_return;
    EXPECT_TRUE(served.error() == std::errc::connection_reset ||
                served.error() == std::errc::broken_pipe)
        << text(served.error());
}

Task<void> serve_all(TcpListener& listener) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (;;) {
            auto socket = co_await attempt(listener.accept());
            if (socket) {
                (void)group.try_spawn(serve, std::move(*socket));
            } else {
                expect_expected(socket.error(), "accept");
                co_await sleep(1ms);
            }
        }
    });
}

// Keeps the crowd going, and cancels one now and then.
Task<void> drive(World& world) {
    Dice random(seed);
    static std::array<std::optional<TaskHandle<void>>, crowd> handles;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (unsigned started = 0; started < tasks_in_all;) {
            for (auto& each : handles) {
                if ((each && !each->done()) || started == tasks_in_all) continue;
                each.emplace(group.spawn(live, std::ref(world), started++));
            }
            co_await sleep(up_to(random, 5000));
            auto& unlucky = handles[random.below(crowd)];
            if (unlucky) unlucky->cancel();
        }
    });
    for (auto& each : handles) each.reset();
}

Task<void> soak(World& world) {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0), {.backlog = 1024});
        world.address = co_await listener.local_address();
        const auto raced = co_await race(drive(world), serve_all(listener));
        EXPECT_EQ(raced.first, 0u);
    }
    EXPECT_EQ(world.counts.put - world.counts.got, world.queue.size());
    while (world.queue.try_get()) {}
    co_await expect_descriptors(0);
    expect_quiet();
}

}  // namespace

TEST(Soak, leaves_nothing_behind) {
    char folder[64];
    std::snprintf(folder, sizeof folder, "/tmp/ringlet-soak-%d", ::getpid());
    std::filesystem::create_directory(folder);
    const unsigned before = open_descriptors();
    World world(folder);
    const int status = runtime.run(soak, std::ref(world));
    std::filesystem::remove_all(folder);
    RINGLET_EXPECT_STATUS_0(status, "");
    EXPECT_EQ(open_descriptors(), before);
    const RunReport& report = runtime.report();
    EXPECT_FALSE(report.completions_overflowed);
    EXPECT_EQ(report.high_water.operations, limits.operations) << "the bound was never met";
    const Counts& counts = world.counts;
    EXPECT_EQ(counts.cancelled + counts.finished, tasks_in_all);
    EXPECT_GT(counts.cancelled, 0u);
    EXPECT_GT(counts.timeouts, 0u);
    std::printf("%llu tasks ended, %llu were cancelled; %llu steps timed out, %llu met a bound; "
                "%llu items, %llu echoes, %llu files, %llu bytes\n",
                static_cast<unsigned long long>(counts.finished),
                static_cast<unsigned long long>(counts.cancelled),
                static_cast<unsigned long long>(counts.timeouts),
                static_cast<unsigned long long>(counts.refused),
                static_cast<unsigned long long>(counts.got),
                static_cast<unsigned long long>(counts.echoes),
                static_cast<unsigned long long>(counts.files),
                static_cast<unsigned long long>(counts.bytes_sent));
    std::printf("high water: %u tasks, %u operations, %u descriptors\n", report.high_water.tasks,
                report.high_water.operations, report.high_water.descriptors);
    for (unsigned i = 0; i < report.frame_classes; ++i) {
        std::printf("frames of %u: %u at most\n", limits.frames[i].bytes,
                    report.frames[i].live_max);
    }
}
