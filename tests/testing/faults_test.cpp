// Seeded faults: each rate hits what it says and nothing else, on a ring of its own.
#include <ringlet/testing/simulated_ring.hpp>
#include <ringlet/testing/simulated_system.hpp>
#include <ringlet/testing/socket_names.hpp>

#include <gtest/gtest.h>

#include <sys/mman.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <memory>
#include <poll.h>
#include <set>
#include <string>
#include <sys/signalfd.h>
#include <vector>

namespace ringlet::testing {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t anywhere = ~std::uint64_t{0};
constexpr unsigned always = 1000;  // per mille
constexpr unsigned bytes_max = 64;

using Results = std::map<std::string, int>;

class FaultsTest : public ::testing::Test {
protected:
    // A world in which everything is open that the operations work on.
    void build(std::uint64_t seed = 1, const SimulationOptions& more = {}) {
        ring.reset();
        system.reset();
        SimulationOptions options = more;
        options.seed = seed;
        world = std::make_unique<World>(options);
        system = std::make_unique<SimulatedSystem>(*world);
        ring = std::make_unique<SimulatedRing>(*world, RingSize{16, 64});
        world->write_file("/file", "contents");
        world->make_folder("/folder");
        world->make_terminal("/tty");
        world->feed("input");
        file = open("/file", O_RDWR);
        terminal = open("/tty", O_RDWR);
        pipe = *system->pipe();
        write(pipe[1], "piped");
        signals = *system->open_signals(signal_bit(SIGUSR1));
        listener = *system->socket(AF_INET, SOCK_STREAM, 0);
        ASSERT_TRUE(system->listen(listener, 4));
        name = *system->local_address(listener);
        client = connected(AF_INET, listener, name, server);
        send(server, "received");
        SocketAddress path = unix_address("unix");
        unix_listener = *system->socket(AF_UNIX, SOCK_STREAM, 0);
        ASSERT_TRUE(system->bind(unix_listener, path));
        ASSERT_TRUE(system->listen(unix_listener, 4));
        unix_client = connected(AF_UNIX, unix_listener, path, unix_server);
        datagrams = *system->socket(AF_INET, SOCK_DGRAM, 0);
        ASSERT_TRUE(system->bind(datagrams, internet_address(AF_INET, true, 0)));
        const SocketAddress to = *system->local_address(datagrams);
        EXPECT_EQ(connect(datagrams, to), 0);
    }

    static SocketAddress unix_address(std::string_view abstract) {
        SocketAddress address;
        auto& out = reinterpret_cast<sockaddr_un&>(address.storage);
        out.sun_family = AF_UNIX;
        abstract.copy(out.sun_path + 1, abstract.size());
        address.size = static_cast<socklen_t>(sizeof out.sun_family + 1 + abstract.size());
        return address;
    }
    int connected(int family, int to, const SocketAddress& where, int& accepted) {
        const int socket = *system->socket(family, SOCK_STREAM, 0);
        EXPECT_EQ(connect(socket, where), 0);
        accepted = accept(to);
        EXPECT_GE(accepted, 0);
        return socket;
    }

    template <class Prepare>
    void start(std::uint64_t id, Prepare prepare) {
        io_uring_sqe& sqe = ring->next_sqe();
        prepare(&sqe);
        sqe.user_data = id;
    }
    // Waits for one operation, which stands alone.
    template <class Prepare>
    int run(Prepare prepare) {
        start(1, prepare);
        for (int tries = 0; tries < 1000; ++tries) {
            ring->enter(Ring::Wait::for_one, 1s);
            Completion completion{};
            if (ring->reap({&completion, 1}) == 1) return completion.result;
        }
        ADD_FAILURE() << "it never completed";
        return -9999;
    }
    std::vector<Completion> enter(Nanoseconds timeout = 1s) {
        ring->enter(Ring::Wait::for_one, timeout);
        std::vector<Completion> all(64);
        all.resize(ring->reap(all));
        return all;
    }

    int open(const char* path, int flags) {
        return run(
            [&](io_uring_sqe* sqe) { io_uring_prep_openat(sqe, AT_FDCWD, path, flags, 0600); });
    }
    int connect(int socket, const SocketAddress& where) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_connect(sqe, socket, where.get(), where.size);
        });
    }
    int accept(int from) {
        return run(
            [&](io_uring_sqe* sqe) { io_uring_prep_accept(sqe, from, nullptr, nullptr, 0); });
    }
    int read(int from) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_read(sqe, from, bytes.data(), bytes_max, anywhere);
        });
    }
    int write(int to, std::string_view text) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_write(sqe, to, text.data(), static_cast<unsigned>(text.size()), anywhere);
        });
    }
    int receive(int from, int flags = 0) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_recv(sqe, from, bytes.data(), bytes.size(), flags);
        });
    }
    int send(int to, std::string_view text, int flags = MSG_NOSIGNAL) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_send(sqe, to, text.data(), text.size(), flags);
        });
    }
    int send_message(int to) {
        iovec part{bytes.data(), 2};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        return run(
            [&](io_uring_sqe* sqe) { io_uring_prep_sendmsg(sqe, to, &header, MSG_NOSIGNAL); });
    }
    int receive_message(int from) {
        iovec part{bytes.data(), bytes.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        return run([&](io_uring_sqe* sqe) { io_uring_prep_recvmsg(sqe, from, &header, 0); });
    }

    // Of a connection that is in line.
    int accept_one() {
        const FaultRates faults = world->options().faults;
        world->set_faults({});
        EXPECT_EQ(connect(*system->socket(AF_INET, SOCK_STREAM, 0), name), 0);
        world->set_faults(faults);
        return accept(listener);
    }

    // ---- each operation once, in a world of its own, under `faults` ----

    template <class Call>
    void once(Results& met, const FaultRates& faults, std::uint64_t seed, const char* what,
              Call call) {
        build(seed);
        world->set_faults(faults);
        const std::uint64_t before = world->faults_met();
        const int result = call();
        if (world->faults_met() != before) met[what] = result;
    }

    // Those that met a fault, with their results.
    Results try_all(const FaultRates& faults, std::uint64_t seed = 1) {
        Results met;
        const auto each = [&](const char* what, auto call) { once(met, faults, seed, what, call); };
        try_transfers(each);
        try_sockets(each);
        try_files(each);
        try_the_others(each);
        return met;
    }
    template <class Each>
    void try_transfers(Each each) {
        each("read file", [&] { return read(file); });
        each("read pipe", [&] { return read(pipe[0]); });
        each("read input", [&] { return read(0); });
        each("read tcp", [&] { return read(client); });
        each("write file", [&] { return write(file, "x"); });
        each("write pipe", [&] { return write(pipe[1], "x"); });
        each("write output", [&] { return write(1, "x"); });
        each("write tty", [&] { return write(terminal, "x"); });
        each("write error", [&] { return write(2, "x"); });
        each("read signals", [&] {
            world->raise(SIGUSR1);
            std::array<char, sizeof(signalfd_siginfo)> info;
            return run([&](io_uring_sqe* sqe) {
                io_uring_prep_read(sqe, signals, info.data(), info.size(), anywhere);
            });
        });
    }
    template <class Each>
    void try_sockets(Each each) {
        each("recv tcp", [&] { return receive(client); });
        each("recv now", [&] { return receive(client, MSG_DONTWAIT); });
        each("send tcp", [&] { return send(client, "x"); });
        each("send now", [&] { return send(unix_client, "x", MSG_DONTWAIT); });
        each("send unix", [&] { return send(unix_client, "x"); });
        each("send udp", [&] { return send(datagrams, "x"); });
        each("sendmsg udp", [&] { return send_message(datagrams); });
        each("recvmsg tcp", [&] { return receive_message(client); });
        each("accept tcp", [&] { return accept_one(); });
        each("shutdown", [&] {
            return run([&](io_uring_sqe* sqe) { io_uring_prep_shutdown(sqe, client, SHUT_WR); });
        });
        each("socket", [&] {
            const auto made = system->socket(AF_INET, SOCK_STREAM, 0);
            return made ? *made : -static_cast<int>(made.error().code());
        });
        each("pipe", [&] {
            const auto made = system->pipe();
            return made ? 0 : -static_cast<int>(made.error().code());
        });
    }
    template <class Each>
    void try_files(Each each) {
        each("open", [&] { return open("/file", O_RDONLY); });
        each("open old", [&] { return open("/file", O_RDWR | O_CREAT); });
        each("create", [&] { return open("/new", O_RDWR | O_CREAT); });
        each("fsync",
             [&] { return run([&](io_uring_sqe* sqe) { io_uring_prep_fsync(sqe, file, 0); }); });
        each("mkdir", [&] {
            return run([](io_uring_sqe* sqe) { io_uring_prep_mkdirat(sqe, AT_FDCWD, "/d", 0700); });
        });
        each("rename", [&] {
            return run([](io_uring_sqe* sqe) {
                io_uring_prep_renameat(sqe, AT_FDCWD, "/file", AT_FDCWD, "/other", 0);
            });
        });
        each("unlink", [&] {
            return run(
                [](io_uring_sqe* sqe) { io_uring_prep_unlinkat(sqe, AT_FDCWD, "/file", 0); });
        });
        each("statx", [&] {
            struct statx out{};
            return run([&](io_uring_sqe* sqe) {
                io_uring_prep_statx(sqe, AT_FDCWD, "/file", 0, 0, &out);
            });
        });
    }
    template <class Each>
    void try_the_others(Each each) {
        each("poll", [&] {
            return run([&](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, pipe[0], POLLIN); });
        });
        each("poll error", [&] {
            return run([](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, 2, POLLOUT); });
        });
        each("nop", [&] { return run([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }); });
        each("close",
             [&] { return run([&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, file); }); });
        each("cancel",
             [&] { return run([](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, 77, 0); }); });
        each("bad descriptor", [&] { return read(99); });
    }

    static std::set<std::string> names(const Results& results) {
        std::set<std::string> all;
        for (const auto& [what, result] : results)
            all.insert(what);
        return all;
    }
    static void expect_all(const Results& results, int result) {
        for (const auto& [what, got] : results)
            EXPECT_EQ(got, result) << what;
    }
    using Names = std::set<std::string>;

    std::unique_ptr<World> world;
    std::unique_ptr<SimulatedSystem> system;
    std::unique_ptr<SimulatedRing> ring;
    std::array<char, bytes_max> bytes{};
    std::array<int, 2> pipe{};
    SocketAddress name;
    int file = -1, terminal = -1, signals = -1, listener = -1, client = -1, server = -1;
    int unix_listener = -1, unix_client = -1, unix_server = -1, datagrams = -1;
};

// ---- errors ----

TEST_F(FaultsTest, without_rates_nothing_goes_wrong) {
    EXPECT_TRUE(try_all({}).empty());
}

TEST_F(FaultsTest, what_waits_in_a_way_that_signals_end_is_interrupted) {
    const Results met = try_all({.interrupted = always});
    EXPECT_EQ(names(met),
              (Names{"read pipe", "read input", "read tcp", "write pipe", "write output",
                     "write tty", "recv tcp", "recv now", "send tcp", "send now", "send unix",
                     "send udp", "sendmsg udp", "recvmsg tcp", "accept tcp", "fsync"}));
    expect_all(met, -EINTR);
}

TEST_F(FaultsTest, only_what_may_be_non_blocking_is_to_try_again) {
    const Results met = try_all({.again = always});
    EXPECT_EQ(names(met),
              (Names{"read input", "write output", "write tty", "recv now", "send now"}));
    expect_all(met, -EAGAIN);
}

TEST_F(FaultsTest, the_network_s_buffers_run_out) {
    const Results met = try_all({.no_buffers = always});
    EXPECT_EQ(names(met), (Names{"send udp", "sendmsg udp", "accept tcp", "socket"}));
    expect_all(met, -ENOBUFS);
}

TEST_F(FaultsTest, memory_runs_out) {
    const Results met = try_all({.no_memory = always});
    EXPECT_EQ(
        names(met),
        (Names{"read file",  "read tcp", "write file", "write pipe", "recv tcp",    "recv now",
               "send tcp",   "send now", "send unix",  "send udp",   "sendmsg udp", "recvmsg tcp",
               "accept tcp", "socket",   "open",       "open old",   "create",      "mkdir",
               "rename",     "unlink",   "statx",      "poll"}));
    expect_all(met, -ENOMEM);
}

TEST_F(FaultsTest, files_and_devices_fail) {
    const Results met = try_all({.io_errors = always});
    EXPECT_EQ(names(met),
              (Names{"read file", "read input", "write file", "write output", "write tty", "fsync",
                     "open", "open old", "create", "mkdir", "rename", "unlink", "statx"}));
    expect_all(met, -EIO);
}

TEST_F(FaultsTest, the_disk_is_full_for_what_needs_room) {
    const Results met = try_all({.no_space = always});
    EXPECT_EQ(names(met), (Names{"write file", "fsync", "create", "mkdir", "rename"}));
    expect_all(met, -ENOSPC);
}

TEST_F(FaultsTest, descriptors_run_out) {
    std::set<int> results;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const Results met = try_all({.no_descriptors = always}, seed);
        EXPECT_EQ(names(met),
                  (Names{"accept tcp", "socket", "pipe", "open", "open old", "create"}));
        for (const auto& [what, result] : met)
            results.insert(result);
    }
    EXPECT_EQ(results, (std::set<int>{-EMFILE, -ENFILE}));
}

TEST_F(FaultsTest, accept_fails_in_ways_of_its_own) {
    EXPECT_EQ(names(try_all({.accept_failures = always})), (Names{"accept tcp"}));
    build();
    std::set<int> results;
    world->set_faults({.accept_failures = always});
    for (int i = 0; i < 100; ++i)
        results.insert(accept(listener));
    EXPECT_EQ(results,
              (std::set<int>{-ENFILE, -ECONNABORTED, -EPROTO, -EPERM, -ENETDOWN, -EHOSTUNREACH}));
    results.clear();
    for (int i = 0; i < 100; ++i)
        results.insert(accept(unix_listener));
    EXPECT_EQ(results, (std::set<int>{-ENFILE}));
}

TEST_F(FaultsTest, a_rate_is_in_per_mille) {
    build();
    world->set_faults({.io_errors = 100});
    int failed = 0;
    for (int i = 0; i < 3000; ++i)
        failed += read(file) == -EIO ? 1 : 0;
    EXPECT_GT(failed, 200);
    EXPECT_LT(failed, 400);
}

TEST_F(FaultsTest, what_fails_is_not_executed) {
    build();
    world->set_faults({.no_space = always});
    EXPECT_EQ(write(file, "CONTENTS"), -ENOSPC);
    EXPECT_EQ(open("/new", O_WRONLY | O_CREAT), -ENOSPC);
    EXPECT_EQ(world->file("/file"), "contents");
    EXPECT_FALSE(world->exists("/new"));
}

// ---- connections ----

TEST_F(FaultsTest, a_reset_breaks_a_tcp_connection_under_both_ends) {
    EXPECT_EQ(names(try_all({.resets = always})),
              (Names{"read tcp", "recv tcp", "recv now", "recvmsg tcp", "send tcp"}));
    build();
    EXPECT_EQ(receive(client), 8);
    world->set_faults({.resets = always});
    EXPECT_EQ(receive(client), -ECONNRESET);
    EXPECT_EQ(world->faults_met(), 1u);
    EXPECT_EQ(receive(server), -ECONNRESET);
    EXPECT_EQ(receive(server), 0);
    EXPECT_EQ(world->faults_met(), 1u);  // it broke once
}

TEST_F(FaultsTest, half_open_a_connection_swallows_what_is_sent_and_says_nothing) {
    EXPECT_EQ(names(try_all({.half_open = always})),
              (Names{"read tcp", "recv tcp", "recv now", "recvmsg tcp", "send tcp"}));
    build();
    world->set_faults({.half_open = always});
    EXPECT_EQ(send(client, "swallowed"), 9);
    EXPECT_EQ(receive(client), 8);  // that was there before
    start(7, [&](io_uring_sqe* sqe) { io_uring_prep_recv(sqe, server, bytes.data(), 9, 0); });
    start(8, [&](io_uring_sqe* sqe) { io_uring_prep_recv(sqe, client, bytes.data(), 9, 0); });
    EXPECT_TRUE(enter().empty());
    start(9, [&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, client); });
    start(10, [](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, 8, 0); });
    EXPECT_EQ(enter().size(), 3u);
    EXPECT_TRUE(enter().empty());  // the server does not hear of it
}

TEST_F(FaultsTest, half_open_a_connection_takes_no_more_than_a_socket_holds) {
    build(1, {.socket_bytes = 1000});
    world->cut_connection(client);
    const std::string much(1500, 'x');
    EXPECT_EQ(send(client, much), 1000);
    EXPECT_EQ(send(client, much, MSG_DONTWAIT | MSG_NOSIGNAL), -EAGAIN);
    start(7, [&](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, client, POLLOUT); });
    EXPECT_TRUE(enter().empty());
    EXPECT_EQ(send(server, "x"), 1);
}

// ---- cancels ----

TEST_F(FaultsTest, a_late_cancel_finds_an_operation_that_is_then_interrupted) {
    build(1, {.cancel_span_max = 3ms});
    read(pipe[0]);
    world->set_faults({.late_cancels = always});
    start(1, [&](io_uring_sqe* sqe) {
        io_uring_prep_read(sqe, pipe[0], bytes.data(), bytes_max, anywhere);
    });
    start(2, [](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, 1, 0); });
    const auto answer = enter();
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer[0].result, -EALREADY);
    const Instant before = world->now();
    const auto end = enter();
    ASSERT_EQ(end.size(), 1u);
    EXPECT_EQ(end[0].user_data, 1u);
    EXPECT_EQ(end[0].result, -EINTR);
    EXPECT_LE(Nanoseconds(world->now() - before), 3ms);
}

TEST_F(FaultsTest, a_late_cancel_lets_an_operation_succeed) {
    build(1, {.cancel_span_max = 1h});
    read(pipe[0]);
    world->set_faults({.late_cancels = always});
    start(1, [&](io_uring_sqe* sqe) {
        io_uring_prep_read(sqe, pipe[0], bytes.data(), bytes_max, anywhere);
    });
    start(2, [](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, 1, 0); });
    EXPECT_EQ(enter(0ns).at(0).result, -EALREADY);
    start(3, [&](io_uring_sqe* sqe) { io_uring_prep_write(sqe, pipe[1], "late", 4, anywhere); });
    std::map<std::uint64_t, int> results;
    for (const Completion& each : enter())
        results[each.user_data] = each.result;
    EXPECT_EQ(results, (std::map<std::uint64_t, int>{{1, 4}, {3, 4}}));
}

TEST_F(FaultsTest, polls_and_signals_are_cancelled_in_time) {
    build();
    read(pipe[0]);
    world->set_faults({.late_cancels = always});
    start(1, [&](io_uring_sqe* sqe) { io_uring_prep_poll_add(sqe, pipe[0], POLLIN); });
    start(2, [&](io_uring_sqe* sqe) {
        io_uring_prep_read(sqe, signals, bytes.data(), sizeof(signalfd_siginfo), anywhere);
    });
    start(3, [](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, 1, 0); });
    start(4, [](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, 2, 0); });
    for (const Completion& each : enter())
        EXPECT_EQ(each.result, each.user_data < 3 ? -ECANCELED : 0);
    EXPECT_EQ(world->faults_met(), 0u);
}

TEST_F(FaultsTest, an_operation_that_is_done_cannot_be_cancelled_while_it_is_held_back) {
    build();
    world->set_faults({.cancelled_but_done = always});
    start(1, [&](io_uring_sqe* sqe) { io_uring_prep_write(sqe, 1, "done", 4, anywhere); });
    start(2, [](io_uring_sqe* sqe) { io_uring_prep_cancel64(sqe, 1, 0); });
    const auto answer = enter(0ns);
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer[0].result, -EALREADY);
    EXPECT_EQ(world->written(1), "done");
    EXPECT_EQ(enter().at(0).result, 4);
}

// ---- the ring ----

TEST_F(FaultsTest, entering_may_leave_a_part_unsubmitted_and_in_order) {
    build();
    world->set_faults({.submission_failures = 500});
    std::set<unsigned> left;
    for (int round = 0; round < 200; ++round) {
        for (std::uint64_t id = 1; id <= 4; ++id)
            start(id, [](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); });
        std::set<std::uint64_t> seen;
        while (seen.size() < 4) {
            for (const Completion& each : enter())
                EXPECT_TRUE(seen.insert(each.user_data).second);
            left.insert(ring->unsubmitted());
        }
    }
    EXPECT_EQ(left, (std::set<unsigned>{0, 1, 2, 3, 4}));
    EXPECT_EQ(ring->in_flight(), 0u);
}

TEST_F(FaultsTest, a_multishot_receive_ends_early_for_no_reason_of_its_own) {
    build();
    constexpr unsigned short group = 3;
    void* const memory =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    auto* const buffers = static_cast<io_uring_buf_ring*>(memory);
    io_uring_buf_ring_init(buffers);
    ASSERT_TRUE(ring->register_buffer_ring(buffers, 2, group));
    const auto arm = [&] {
        io_uring_buf_ring_add(buffers, bytes.data(), 8, 0, 1, 0);
        io_uring_buf_ring_add(buffers, bytes.data() + 8, 8, 1, 1, 1);
        io_uring_buf_ring_advance(buffers, 2);
        start(1, [&](io_uring_sqe* sqe) {
            io_uring_prep_recv_multishot(sqe, client, nullptr, 0, 0);
            sqe->flags = IOSQE_BUFFER_SELECT;
            sqe->buf_group = group;
        });
    };
    arm();
    const Completion first = enter().at(0);
    EXPECT_EQ(first.result, 8);
    EXPECT_NE(first.flags & IORING_CQE_F_MORE, 0u);
    world->set_faults({.early_ends = always});
    start(2, [&](io_uring_sqe* sqe) { io_uring_prep_send(sqe, server, "x", 1, 0); });
    for (const Completion& each : enter()) {
        EXPECT_EQ(each.result, 1);
        EXPECT_EQ(each.flags & IORING_CQE_F_MORE, 0u);
    }
    EXPECT_EQ(ring->in_flight(), 0u);
    ::munmap(memory, 4096);
}

// ---- one at a chosen place ----

TEST_F(FaultsTest, a_fault_can_be_ordered_for_each_operation_of_a_run) {
    const auto some = [&](std::uint64_t nth) {
        build();
        const std::uint64_t before = world->operations_faultable();
        if (nth != 0) world->fail_operation(before + nth);
        std::vector<int> results = {read(file), write(pipe[1], "x"),
                                    run([](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }),
                                    receive(unix_client, MSG_DONTWAIT)};
        results.push_back(static_cast<int>(world->operations_faultable() - before));
        return results;
    };
    EXPECT_EQ(some(0), (std::vector<int>{8, 1, 0, -EAGAIN, 3}));
    EXPECT_NE(some(1).at(0), 8);
    EXPECT_EQ(some(1).at(1), 1);
    EXPECT_EQ(some(2), (std::vector<int>{8, -ENOMEM, 0, -EAGAIN, 3}));
    EXPECT_EQ(some(4), some(0));
    EXPECT_EQ(some(1), some(1));
}

TEST_F(FaultsTest, ordered_by_opcode_a_fault_hits_also_what_is_spared) {
    build();
    world->fail_next(IORING_OP_CLOSE, EIO);
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_close(sqe, file); }), -EIO);
    EXPECT_EQ(world->faults_met(), 0u);
}

}  // namespace
}  // namespace ringlet::testing
