// A program with everything that can go wrong, going wrong: whatever a seed draws, it ends, leaves
// nothing behind, and no byte is lost or doubled without an error that says so. And a seed draws
// the same each time: two runs have the same trace, line for line.
#include <ringlet/ringlet.hpp>
#include <ringlet/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace ringlet {
namespace {

using namespace std::chrono_literals;
using testing::FaultRates;
using testing::Simulation;
using testing::SimulationOptions;

constexpr Limits limits{.operations = 32, .descriptors = 32, .workers = 1};

std::byte pattern(std::size_t at) {
    return static_cast<std::byte>(at * 31 + at / 251);
}

void fill(std::span<std::byte> out, std::size_t from) {
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = pattern(from + i);
}

void expect_pattern(std::span<const std::byte> bytes, std::size_t from) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] == pattern(from + i)) continue;
        ADD_FAILURE() << "byte " << from + i << " is another";
        return;
    }
}

// What a run has done; of all runs together it must be something.
struct Done {
    unsigned exchanges = 0;  // over TCP, whole
    unsigned broken = 0;     // over TCP, ended by an error
    unsigned replaced = 0;   // files
    unsigned kept = 0;       // files that could not be replaced
    unsigned jobs = 0;
    unsigned datagrams = 0;
    unsigned errors = 0;  // reads and writes of the pipe that failed
    unsigned late = 0;    // and those whose time was up
};

// ---- TCP: an echo ----

constinit BufferPool<2, 256> pool;  // fewer than there are connections

Task<void> echo(TcpSocket socket) {
    std::array<std::byte, 256> buffer;
    for (;;) {
        const auto count = co_await attempt(timeout(20ms, socket.receive(buffer)));
        if (!count || *count == 0) co_return;
        const auto bytes = std::span<const std::byte>(buffer).first(*count);
        const auto sent = co_await attempt(timeout(20ms, socket.send_all(bytes)));
        if (!sent) co_return;
    }
}

Task<void> echo_from_pool(TcpSocket socket) {
    for (;;) {
        const auto buffer = co_await attempt(timeout(20ms, socket.receive(pool)));
        if (!buffer || buffer->empty()) co_return;
        const auto sent = co_await attempt(timeout(20ms, socket.send_all(buffer->bytes())));
        if (!sent) co_return;
    }
}

Task<void> serve(TcpListener& listener, TaskGroup& group) {
    for (unsigned count = 0;;) {
        auto accepted = co_await attempt(listener.accept());
        if (!accepted) {
            co_await sleep(1ms);  // it may come again at once
        } else if (++count % 2 == 0) {
            group.spawn(echo, std::move(*accepted));
        } else {
            group.spawn(echo_from_pool, std::move(*accepted));
        }
    }
}

// One block there and back. Errors: the connection's, or timed_out.
Task<void> exchange_block(TcpSocket& socket, std::size_t from, std::size_t size) {
    std::array<std::byte, 300> buffer;
    fill(std::span(buffer).first(size), from);
    const auto out = std::span<const std::byte>(buffer).first(size);
    co_await timeout(20ms, socket.send_all(out));
    std::size_t received = 0;
    while (received < size) {
        const auto room = std::span(buffer).first(size - received);
        const auto count = co_await timeout(20ms, socket.receive(room));
        if (count == 0) co_await fail(std::errc::connection_aborted);
        expect_pattern(room.first(count), from + received);
        received += count;
    }
}

Task<void> talk(SocketAddress where) {
    auto socket = co_await timeout(20ms, TcpSocket::connect(where));
    std::size_t at = 0;
    for (std::size_t size : {1, 300, 7, 256}) {
        co_await exchange_block(socket, at, size);
        at += size;
    }
    co_await socket.shutdown_send();
    std::array<std::byte, 8> more;
    const auto rest = co_await timeout(20ms, socket.receive(more));
    EXPECT_EQ(rest, 0u);
}

Task<void> call(SocketAddress where, Done& done) {
    for (int i = 0; i < 4; ++i) {
        const auto ended = co_await attempt(talk(where));
        ++(ended ? done.exchanges : done.broken);
    }
}

// Those that are cancelled somewhere, and leave nothing behind.
Task<void> call_and_give_up(SocketAddress where, Done& done) {
    for (int i = 1; i <= 8; ++i) {
        const auto ended = co_await attempt(timeout(i * 150us, talk(where)));
        ++(ended ? done.exchanges : done.broken);
    }
}

// ---- UDP: each datagram comes once, whole, or not at all ----

Task<void> send_datagrams(UdpSocket& socket, SocketAddress to, unsigned& sent) {
    for (unsigned char number = 0; number < 60; ++number) {
        const std::array<std::byte, 2> datagram{std::byte{number}, static_cast<std::byte>(~number)};
        const auto went = co_await attempt(timeout(1ms, socket.send_to(datagram, to)));
        sent += went ? 1 : 0;
        co_await sleep(100us);
    }
}

Task<void> receive_datagrams(UdpSocket& socket, unsigned& received) {
    std::array<bool, 60> seen{};
    for (int silent = 0; silent < 20;) {
        std::array<std::byte, 8> buffer;
        const auto got = co_await attempt(timeout(1ms, socket.receive(buffer)));
        if (!got) {
            ++silent;
            continue;
        }
        silent = 0;
        const auto number = static_cast<unsigned>(buffer[0]);
        EXPECT_TRUE(got->size == 2 && buffer[0] == ~buffer[1] && number < seen.size());
        if (number >= seen.size()) co_return;
        EXPECT_FALSE(std::exchange(seen[number], true)) << "it came twice";
        ++received;
    }
}

Task<void> exchange_datagrams(Done& done) {
    auto socket = UdpSocket::bind(loopback_address(0));
    while (!socket) {
        co_await sleep(1ms);
        socket = UdpSocket::bind(loopback_address(0));
    }
    const auto address = co_await socket->local_address();
    unsigned sent = 0;
    unsigned received = 0;
    co_await gather(send_datagrams(*socket, address, sent), receive_datagrams(*socket, received));
    EXPECT_GE(received, sent);  // one may have gone although its time was up
    done.datagrams += received;
}

// ---- a pipe, of which each read and write has a time limit ----

Task<void> produce(PipeWriter writer, std::size_t total, Done& done) {
    std::array<std::byte, 4000> block;
    std::size_t sent = 0;
    while (sent < total) {
        const auto part = std::span(block).first(std::min(block.size(), total - sent));
        fill(part, sent);
        const auto count = co_await attempt(timeout(1ms, writer.write(part)));
        if (count) {
            sent += *count;
        } else {
            ++(count.error() == std::errc::timed_out ? done.late : done.errors);
        }
    }
}

Task<void> consume(PipeReader reader, std::size_t total, Done& done) {
    std::array<std::byte, 700> block;
    std::size_t received = 0;
    co_await sleep(3ms);  // the pipe is full meanwhile
    for (;;) {
        const auto count = co_await attempt(timeout(1ms, reader.read(block)));
        if (!count) {
            ++(count.error() == std::errc::timed_out ? done.late : done.errors);
            continue;
        }
        if (*count == 0) break;
        expect_pattern(std::span<const std::byte>(block).first(*count), received);
        received += *count;
    }
    EXPECT_EQ(received, total);
}

Task<void> pump(Done& done) {
    constexpr std::size_t total = 90'000;
    auto pipe = Pipe::open();
    for (int tries = 0; !pipe && tries < 100; ++tries) {
        co_await sleep(1ms);
        pipe = Pipe::open();
    }
    EXPECT_TRUE(pipe.has_value());
    if (!pipe) co_return;
    co_await gather(produce(std::move(pipe->writer), total, done),
                    consume(std::move(pipe->reader), total, done));
}

// ---- files, and jobs ----

constexpr std::size_t version_step = 1000;

// Which version a file is, as a whole; 0 if it is none.
std::size_t version_of(std::span<const std::byte> contents, std::size_t newest) {
    for (std::size_t version = newest; version > 0; --version) {
        bool same = contents.size() == 100;
        for (std::size_t i = 0; same && i < contents.size(); ++i)
            same = contents[i] == pattern(version * version_step + i);
        if (same) return version;
    }
    return 0;
}

Task<void> replace(Done& done) {
    std::array<std::byte, 100> bytes;
    std::array<std::byte, 200> found;
    std::size_t oldest = 0;  // that can still be there
    for (std::size_t next = 1; next <= 8; ++next) {
        fill(bytes, next * version_step);
        const auto written = co_await attempt(write_atomic("/data", bytes));
        ++(written ? done.replaced : done.kept);
        if (written) oldest = next;
        const auto contents = co_await attempt(read_file("/data", found));
        if (!contents) continue;
        // After an error it is the old file, or the new one if that was renamed already.
        const std::size_t version = version_of(*contents, next);
        EXPECT_GT(version, 0u);
        EXPECT_GE(version, oldest);
        oldest = version;
    }
}

Task<void> work(Done& done) {
    for (unsigned i = 0; i < 10; ++i) {
        const auto job = [i] { return i + 1; };
        const unsigned result = co_await offload(job);
        EXPECT_EQ(result, i + 1);
        ++done.jobs;
        co_await sleep(1ms);
    }
}

// ---- all of it ----

Task<void> program(Done& done) {
    auto listener = TcpListener::listen(loopback_address(0));
    while (!listener) {
        co_await sleep(1ms);
        listener = TcpListener::listen(loopback_address(0));
    }
    const auto address = co_await listener->local_address();
    const auto open = co_await pool.open();
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto server = group.spawn(serve, std::ref(*listener), std::ref(group));
        co_await gather(call(address, done), call(address, done), call_and_give_up(address, done),
                        exchange_datagrams(done), pump(done), replace(done), work(done));
        server.cancel();
    });
}

struct Lines {
    static void add(std::string_view line, void* context) {
        Lines& self = *static_cast<Lines*>(context);
        if (self.size + line.size() + 1 > self.capacity) return;
        line.copy(&self.text[self.size], line.size());
        self.size += line.size();
        self.text[self.size++] = '\n';
    }
    std::string_view view() const { return {text.get(), size}; }

    std::size_t capacity = 1'000'000;
    std::unique_ptr<char[]> text = std::make_unique_for_overwrite<char[]>(capacity);
    std::size_t size = 0;
};

struct RunEnd {
    std::uint64_t trace = 0;
    std::uint64_t faults = 0;
    Done done;
};

RunEnd run_once(std::uint64_t seed, unsigned per_mille, Lines& lines) {
    SimulationOptions options{.seed = seed,
                              .latency_max = std::chrono::microseconds(seed % 3 * 100),
                              .job_time_max = 2ms,
                              .short_transfers = seed % 2 == 1,
                              .faults = FaultRates::everything(per_mille)};
    Simulation simulation(options);
    simulation.world().trace_to(Lines::add, &lines);
    RunEnd run;
    EXPECT_EQ(simulation.run<limits>(program, run.done), 0) << simulation.log();
    EXPECT_FALSE(simulation.deadlocked()) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
    EXPECT_FALSE(simulation.report().completions_overflowed);
    run.trace = simulation.trace();
    run.faults = simulation.world().faults_met();
    return run;
}

void add(Done& sum, const Done& one) {
    sum.exchanges += one.exchanges;
    sum.broken += one.broken;
    sum.replaced += one.replaced;
    sum.kept += one.kept;
    sum.jobs += one.jobs;
    sum.datagrams += one.datagrams;
    sum.errors += one.errors;
    sum.late += one.late;
}

Done soak(std::uint64_t seeds, unsigned per_mille) {
    Done sum;
    std::uint64_t faults = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE(seed);
        Lines lines;
        const RunEnd run = run_once(seed, per_mille, lines);
        faults += run.faults;
        add(sum, run.done);
        if (::testing::Test::HasFailure()) break;
    }
    std::printf(
        "%llu faults; exchanges %u, broken %u; replaced %u, kept %u; jobs %u; datagrams %u; "
        "pipe errors %u, timeouts %u\n",
        static_cast<unsigned long long>(faults), sum.exchanges, sum.broken, sum.replaced, sum.kept,
        sum.jobs, sum.datagrams, sum.errors, sum.late);
    return sum;
}

TEST(FaultsSoak, few_faults_are_survived_under_every_seed) {
    const Done done = soak(60, 5);
    EXPECT_GT(done.exchanges, 0u);
    EXPECT_GT(done.broken, 0u);
    EXPECT_GT(done.replaced, 0u);
    EXPECT_GT(done.late, 0u);
}

TEST(FaultsSoak, many_faults_are_survived_under_every_seed) {
    const Done done = soak(60, 60);
    EXPECT_GT(done.broken, 0u);
    EXPECT_GT(done.replaced, 0u);
    EXPECT_GT(done.kept, 0u);
    EXPECT_GT(done.errors, 0u);
}

TEST(FaultsSoak, the_same_seed_gives_the_same_trace_to_the_byte) {
    for (const std::uint64_t seed : {1, 2, 3, 4}) {
        Lines first;
        Lines again;
        const RunEnd one = run_once(seed, 20, first);
        const RunEnd other = run_once(seed, 20, again);
        EXPECT_EQ(one.trace, other.trace);
        EXPECT_EQ(one.faults, other.faults);
        EXPECT_GT(first.size, 10'000u);
        EXPECT_TRUE(first.view() == again.view());
    }
    Lines first;
    Lines another;
    EXPECT_NE(run_once(5, 20, first).trace, run_once(6, 20, another).trace);
    EXPECT_FALSE(first.view() == another.view());
}

}  // namespace
}  // namespace ringlet
