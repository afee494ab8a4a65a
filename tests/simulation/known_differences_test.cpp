// What the simulation does otherwise than the kernel: the closed list of
// docs/simulation_and_kernel.md, each entry with both behaviours, so that a change of either shows.
#include "ring/conformance.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringlet {
namespace {

class KnownDifferences : public Conformance {
protected:
    static bool on_kernel() { return GetParam() == On::kernel; }

    int connect(int descriptor, const SocketAddress& address) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_connect(sqe, descriptor, address.get(), address.size);
        });
    }
    int tcp() { return *system().socket(AF_INET, SOCK_STREAM, 0); }
    int listening() {
        const int listener = tcp();
        EXPECT_TRUE(system().bind(listener, loopback(0)));
        EXPECT_TRUE(system().listen(listener, 4));
        return listener;
    }
    struct Pair {
        int client;
        int server;
    };
    Pair connected(int listener) {
        const int client = tcp();
        EXPECT_EQ(connect(client, *system().local_address(listener)), 0);
        const int server = run([&](io_uring_sqe* sqe) {
            io_uring_prep_accept(sqe, listener, nullptr, nullptr, SOCK_CLOEXEC);
        });
        EXPECT_GE(server, 0);
        return {client, server};
    }
    int open(const std::string& where, int flags) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_openat(sqe, AT_FDCWD, where.c_str(), flags | O_CLOEXEC, 0644);
        });
    }
    void close_all(std::initializer_list<int> descriptors) {
        for (const int descriptor : descriptors)
            EXPECT_EQ(close(descriptor), 0);
    }
    std::array<char, 16> out{};
};
INSTANTIATE_TEST_SUITE_P(On, KnownDifferences, ::testing::Values(On::kernel, On::simulation),
                         side_name);

TEST_P(KnownDifferences, number_1_a_poll_that_waited_tells_what_woke_it_or_the_whole_state) {
    const int listener = listening();
    const auto polling = start_poll(listener, POLLIN);
    EXPECT_TRUE(is_pending(polling));
    EXPECT_EQ(shutdown(listener, SHUT_RDWR), 0);
    EXPECT_EQ(result(polling), on_kernel() ? POLLERR : POLLHUP);
    close(listener);
}

TEST_P(KnownDifferences, number_2_a_refused_tcp_socket_is_as_new_only_in_simulation) {
    const int nobody = tcp();
    EXPECT_TRUE(system().bind(nobody, loopback(0)));
    const int client = tcp();
    EXPECT_EQ(connect(client, *system().local_address(nobody)), -ECONNREFUSED);
    EXPECT_EQ(receive(client, out), on_kernel() ? 0 : -ENOTCONN);
    close_all({nobody, client});
}

TEST_P(KnownDifferences, number_3_the_simulations_rooms_are_smaller) {
    const int listener = listening();
    const Pair pair = connected(listener);
    const std::string much(400'000, 'x');
    const int sent = send(pair.client, much, MSG_NOSIGNAL | MSG_DONTWAIT);
    const int simulated_room = static_cast<int>(testing::SimulationOptions{}.socket_bytes);
    if (on_kernel())
        EXPECT_GT(sent, simulated_room);
    else
        EXPECT_EQ(sent, simulated_room);
    const int file = open(path("f"), O_WRONLY | O_CREAT);
    EXPECT_EQ(write(file, much, 0), on_kernel() ? 400'000 : 65'536);
    EXPECT_EQ(write(file, "x", 100'000), on_kernel() ? 1 : -EFBIG);
    close_all({file, pair.client, pair.server, listener});
}

TEST_P(KnownDifferences, number_4_what_the_runtime_never_asks_for_is_refused_in_simulation) {
    const auto ends = *system().pipe();
    EXPECT_EQ(system().set_permissions(ends[0], 0600).has_value(), on_kernel());
    for (const char* name : {"one", "other"})
        close(open(path(name), O_WRONLY | O_CREAT));
    const std::string one = path("one");
    const std::string other = path("other");
    const int exchanged = run([&](io_uring_sqe* sqe) {
        io_uring_prep_renameat(sqe, AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(),
                               RENAME_EXCHANGE);
    });
    // Not every file system can.
    if (!on_kernel())
        EXPECT_EQ(exchanged, -EINVAL);
    else
        EXPECT_TRUE(exchanged == 0 || exchanged == -EINVAL);
    const int linked = run([&](io_uring_sqe* sqe) { io_uring_prep_nop(sqe); }, IOSQE_IO_DRAIN);
    EXPECT_EQ(linked, on_kernel() ? 0 : -EINVAL);
    close_all({ends[0], ends[1]});
}

TEST_P(KnownDifferences, number_5_a_unix_datagram_has_its_senders_name_as_of_sending) {
    const int server = *system().socket(AF_UNIX, SOCK_DGRAM, 0);
    const int client = *system().socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_TRUE(system().bind(server, unix_address(path("server"))));
    EXPECT_EQ(connect(client, unix_address(path("server"))), 0);
    EXPECT_EQ(send(client, "x"), 1);
    EXPECT_TRUE(system().bind(client, unix_address(path("client"))));
    SocketAddress from;
    iovec vector{out.data(), out.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_name = from.get();
    header.msg_namelen = sizeof from.storage;
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_recvmsg(sqe, server, &header, 0); }), 1);
    EXPECT_EQ(header.msg_namelen != 0, on_kernel());
    close_all({server, client});
}

TEST_P(KnownDifferences, number_6_permissions_are_kept_and_told_and_not_enforced_in_simulation) {
    if (on_kernel() && ::geteuid() == 0) GTEST_SKIP() << "root may open every file";
    const int file = open(path("f"), O_WRONLY | O_CREAT);
    EXPECT_TRUE(system().set_permissions(file, 0));
    close(file);
    const int again = open(path("f"), O_RDONLY);
    if (on_kernel())
        EXPECT_EQ(again, -EACCES);
    else
        EXPECT_GE(again, 0);
    close(again);
}

TEST_P(KnownDifferences, number_7_a_closed_connection_keeps_its_port_for_a_while_on_the_kernel) {
    const int listener = listening();
    const SocketAddress name = *system().local_address(listener);
    const Pair pair = connected(listener);
    close_all({pair.server, pair.client, listener});  // who closes first keeps it, in TIME_WAIT
    const int next = tcp();
    EXPECT_EQ(system().bind(next, name).has_value(), !on_kernel());
    close(next);
}

TEST_P(KnownDifferences, number_8_options_that_tune_are_zero_until_they_are_set_in_simulation) {
    const int socket = tcp();
    const int before = *system().get_option(socket, SOL_SOCKET, SO_RCVBUF);
    EXPECT_EQ(before > 0, on_kernel());
    EXPECT_TRUE(system().set_option(socket, SOL_SOCKET, SO_RCVBUF, 8192));
    // The kernel counts its own bookkeeping, too (socket(7)).
    EXPECT_EQ(*system().get_option(socket, SOL_SOCKET, SO_RCVBUF), on_kernel() ? 16384 : 8192);
    close(socket);
}

TEST_P(KnownDifferences, number_9_that_more_is_there_is_hinted_at_only_by_the_kernel) {
    const int listener = listening();
    const Pair pair = connected(listener);
    EXPECT_EQ(send(pair.client, "more than that"), 14);
    const Completion received = completion(start_receive(pair.server, std::span(out).first(4)));
    EXPECT_EQ(received.result, 4);
    EXPECT_EQ((received.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0, on_kernel());
    close_all({pair.client, pair.server, listener});
}

TEST_P(KnownDifferences, number_10_a_udp_socket_can_be_connected_to_port_0_only_in_simulation) {
    const int socket = *system().socket(AF_INET, SOCK_DGRAM, 0);
    EXPECT_EQ(connect(socket, loopback(0)), 0);
    EXPECT_EQ(system().peer_address(socket).has_value(), !on_kernel());
    close(socket);
}

}  // namespace
}  // namespace ringlet
