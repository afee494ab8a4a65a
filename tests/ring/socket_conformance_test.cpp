// Stream sockets, TCP's on the loopback and Unix', as a program sees them through the ring. On
// both.
#include "ring/conformance.hpp"

#include <netinet/tcp.h>
#include <poll.h>

namespace ringlet {
namespace {

class SocketConformance : public Conformance {
protected:
    int tcp() { return *system().socket(AF_INET, SOCK_STREAM, 0); }

    std::uint64_t start_connect(int descriptor, const SocketAddress& address) {
        return start([&](io_uring_sqe* sqe) {
            io_uring_prep_connect(sqe, descriptor, address.get(), address.size);
        });
    }
    int connect(int descriptor, const SocketAddress& address) {
        return result(start_connect(descriptor, address));
    }
    std::uint64_t start_accept(int listener) {
        return start([&](io_uring_sqe* sqe) {
            io_uring_prep_accept(sqe, listener, nullptr, nullptr, SOCK_CLOEXEC);
        });
    }

    struct Pair {
        int client;
        int server;
    };
    // Two connected sockets, and nothing else left open.
    Pair connected(int listener, int client, const SocketAddress& address) {
        EXPECT_TRUE(system().bind(listener, address));
        EXPECT_TRUE(system().listen(listener, 4));
        EXPECT_EQ(connect(client, *system().local_address(listener)), 0);
        const int server = result(start_accept(listener));
        EXPECT_GE(server, 0);
        EXPECT_EQ(close(listener), 0);
        return {client, server};
    }
    Pair tcp_pair() { return connected(tcp(), tcp(), loopback(0)); }
    Pair unix_pair() {
        return connected(*system().socket(AF_UNIX, SOCK_STREAM, 0),
                         *system().socket(AF_UNIX, SOCK_STREAM, 0), unix_address(path("s")));
    }
    void close_both(Pair pair) {
        close(pair.client);
        close(pair.server);
    }
    std::array<char, 16> out{};
};
INSTANTIATE_TEST_SUITE_P(On, SocketConformance, ::testing::Values(On::kernel, On::simulation),
                         side_name);

// ---- names ----

TEST_P(SocketConformance, port_zero_gives_a_free_port) {
    const int listener = tcp();
    ASSERT_TRUE(system().bind(listener, loopback(0)));
    const SocketAddress name = *system().local_address(listener);
    EXPECT_GE(port_of(name), 1024);
    EXPECT_EQ(system().bind(listener, loopback(0)).error(), std::errc::invalid_argument);
    const int other = tcp();
    EXPECT_EQ(system().bind(other, name).error(), std::errc::address_in_use);
    close(other);
    close(listener);
}

TEST_P(SocketConformance, both_ends_know_both_names) {
    const int listener = tcp();
    ASSERT_TRUE(system().bind(listener, loopback(0)));
    ASSERT_TRUE(system().listen(listener, 1));
    const SocketAddress name = *system().local_address(listener);
    const int client = tcp();
    ASSERT_EQ(connect(client, name), 0);
    SocketAddress from;
    from.size = sizeof from.storage;
    const int server = run([&](io_uring_sqe* sqe) {
        io_uring_prep_accept(sqe, listener, from.get(), &from.size, SOCK_CLOEXEC);
    });
    ASSERT_GE(server, 0);
    const std::uint16_t port = port_of(*system().local_address(client));
    EXPECT_EQ(from.size, sizeof(sockaddr_in));
    EXPECT_EQ(port_of(from), port);
    EXPECT_EQ(port_of(*system().peer_address(server)), port);
    EXPECT_EQ(port_of(*system().peer_address(client)), port_of(name));
    EXPECT_EQ(port_of(*system().local_address(server)), port_of(name));
    EXPECT_EQ(system().peer_address(listener).error(), std::errc::not_connected);
    close_both({client, server});
    close(listener);
}

TEST_P(SocketConformance, a_listening_port_can_be_taken_over_once_it_is_closed) {
    const int listener = tcp();
    ASSERT_TRUE(system().set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1));
    ASSERT_TRUE(system().bind(listener, loopback(0)));
    const SocketAddress name = *system().local_address(listener);
    ASSERT_TRUE(system().listen(listener, 1));
    const int next = tcp();
    ASSERT_TRUE(system().set_option(next, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_EQ(system().bind(next, name).error(), std::errc::address_in_use);
    const int client = tcp();
    ASSERT_EQ(connect(client, name), 0);
    const int server = result(start_accept(listener));
    close(listener);
    EXPECT_TRUE(system().bind(next, name));  // although a connection still has that port
    EXPECT_TRUE(system().listen(next, 1));
    close_both({client, server});
    close(next);
}

TEST_P(SocketConformance, options_can_be_read_back) {
    const int socket = tcp();
    EXPECT_TRUE(system().set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1));
    EXPECT_EQ(*system().get_option(socket, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(*system().get_option(socket, SOL_SOCKET, SO_REUSEADDR), 0);
    EXPECT_EQ(*system().get_option(socket, SOL_SOCKET, SO_ERROR), 0);
    EXPECT_EQ(*system().get_option(socket, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    EXPECT_EQ(*system().get_option(socket, SOL_SOCKET, SO_ACCEPTCONN), 0);
    EXPECT_EQ(system().set_option(socket, SOL_SOCKET, 9999, 1).error(),
              std::errc::no_protocol_option);
    EXPECT_EQ(system().set_option(9999, SOL_SOCKET, SO_REUSEADDR, 1).error(),
              std::errc::bad_file_descriptor);
    close(socket);
}

// ---- connecting ----

TEST_P(SocketConformance, an_accept_parks_until_someone_connects) {
    const int listener = tcp();
    ASSERT_TRUE(system().listen(listener, 4));  // binds by itself
    const SocketAddress name = *system().local_address(listener);
    const auto accepting = start_accept(listener);
    EXPECT_TRUE(is_pending(accepting));
    const int client = tcp();
    EXPECT_EQ(connect(client, loopback(port_of(name))), 0);
    const int server = result(accepting);
    EXPECT_GE(server, 0);
    EXPECT_EQ(connect(client, loopback(port_of(name))), -EISCONN);
    close_both({client, server});
    close(listener);
}

TEST_P(SocketConformance, a_connect_to_nobody_is_refused_and_can_be_tried_again) {
    const int listener = tcp();
    ASSERT_TRUE(system().bind(listener, loopback(0)));
    const SocketAddress name = *system().local_address(listener);
    const int client = tcp();
    EXPECT_EQ(connect(client, name), -ECONNREFUSED);
    ASSERT_TRUE(system().listen(listener, 1));
    EXPECT_EQ(connect(client, name), 0);
    close(client);
    close(listener);
}

TEST_P(SocketConformance, a_connect_to_another_family_is_an_error) {
    const int client = tcp();
    EXPECT_EQ(connect(client, unix_address("/nowhere-at-all")), -EAFNOSUPPORT);
    SocketAddress stub = loopback(1);
    stub.size = 4;
    EXPECT_EQ(connect(client, stub), -EINVAL);
    close(client);
}

TEST_P(SocketConformance, closing_a_listener_resets_who_was_not_accepted) {
    const int listener = tcp();
    ASSERT_TRUE(system().listen(listener, 4));
    const int client = tcp();
    ASSERT_EQ(connect(client, loopback(port_of(*system().local_address(listener)))), 0);
    EXPECT_EQ(close(listener), 0);
    EXPECT_EQ(receive(client, out), -ECONNRESET);
    close(client);
}

TEST_P(SocketConformance, shutting_a_listener_down_ends_its_accepts) {
    const int listener = tcp();
    ASSERT_TRUE(system().listen(listener, 4));
    const auto accepting = start_accept(listener);
    EXPECT_TRUE(is_pending(accepting));
    EXPECT_EQ(shutdown(listener, SHUT_RD), 0);
    EXPECT_EQ(result(accepting), -EINVAL);
    close(listener);
}

TEST_P(SocketConformance, a_fresh_socket_can_do_nothing) {
    const int socket = tcp();
    EXPECT_EQ(receive(socket, out), -ENOTCONN);
    EXPECT_EQ(send(socket, "x"), -EPIPE);
    EXPECT_EQ(result(start_accept(socket)), -EINVAL);
    EXPECT_EQ(shutdown(socket, SHUT_WR), -ENOTCONN);
    EXPECT_EQ(shutdown(socket, 7), -EINVAL);
    EXPECT_EQ(result(start_poll(socket, POLLIN | POLLOUT)), POLLOUT | POLLHUP);
    close(socket);
}

// ---- the stream ----

TEST_P(SocketConformance, bytes_arrive_in_order_both_ways) {
    const Pair pair = tcp_pair();
    const auto receiving = start_receive(pair.server, out);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(send(pair.client, "ping"), 4);
    EXPECT_EQ(result(receiving), 4);
    EXPECT_EQ(std::string_view(out.data(), 4), "ping");
    EXPECT_EQ(write(pair.server, "pong"), 4);
    EXPECT_EQ(result(start_read(pair.client, out)), 4);
    EXPECT_EQ(std::string_view(out.data(), 4), "pong");
    EXPECT_EQ(receive(pair.client, out, MSG_DONTWAIT), -EAGAIN);
    close_both(pair);
}

TEST_P(SocketConformance, a_receive_of_all_waits_for_all) {
    const Pair pair = tcp_pair();
    const auto receiving = start_receive(pair.server, std::span(out).first(6), MSG_WAITALL);
    EXPECT_EQ(send(pair.client, "abc"), 3);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(send(pair.client, "defg"), 4);
    EXPECT_EQ(result(receiving), 6);
    EXPECT_EQ(std::string_view(out.data(), 6), "abcdef");
    EXPECT_EQ(receive(pair.server, out), 1);
    close_both(pair);
}

TEST_P(SocketConformance, a_receive_of_all_ends_early_at_the_end_of_the_stream) {
    const Pair pair = tcp_pair();
    const auto receiving = start_receive(pair.server, std::span(out).first(6), MSG_WAITALL);
    EXPECT_EQ(send(pair.client, "abc"), 3);
    EXPECT_EQ(shutdown(pair.client, SHUT_WR), 0);
    EXPECT_EQ(result(receiving), 3);
    EXPECT_EQ(receive(pair.server, out), 0);
    close_both(pair);
}

TEST_P(SocketConformance, a_cancelled_receive_of_all_reports_what_it_had) {
    const Pair pair = tcp_pair();
    const auto receiving = start_receive(pair.server, std::span(out).first(6), MSG_WAITALL);
    EXPECT_EQ(send(pair.client, "abc"), 3);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(cancel(receiving), 0);
    EXPECT_EQ(result(receiving), 3);
    close_both(pair);
}

TEST_P(SocketConformance, a_send_of_all_parks_until_the_peer_made_room) {
    const Pair pair = tcp_pair();
    const std::string much(8'000'000, 'x');
    const auto sending = start([&](io_uring_sqe* sqe) {
        io_uring_prep_send(sqe, pair.client, much.data(), much.size(), MSG_WAITALL | MSG_NOSIGNAL);
    });
    EXPECT_TRUE(is_pending(sending));
    std::vector<char> large(1'000'000);
    std::size_t received = 0;
    while (received < much.size()) {
        const int count = receive(pair.server, large);
        ASSERT_GT(count, 0);
        received += static_cast<std::size_t>(count);
    }
    EXPECT_EQ(result(sending), static_cast<int>(much.size()));
    close_both(pair);
}

TEST_P(SocketConformance, a_half_closed_stream_still_carries_the_other_half) {
    const Pair pair = tcp_pair();
    EXPECT_EQ(send(pair.client, "bye"), 3);
    EXPECT_EQ(shutdown(pair.client, SHUT_WR), 0);
    EXPECT_EQ(send(pair.client, "x"), -EPIPE);
    EXPECT_EQ(receive(pair.server, out), 3);
    EXPECT_EQ(receive(pair.server, out), 0);
    EXPECT_EQ(receive(pair.server, out), 0);
    EXPECT_EQ(send(pair.server, "answer"), 6);
    EXPECT_EQ(receive(pair.client, out), 6);
    close_both(pair);
}

TEST_P(SocketConformance, a_shut_down_reading_side_ends_a_parked_receive) {
    const Pair pair = tcp_pair();
    const auto receiving = start_receive(pair.client, out);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(shutdown(pair.client, SHUT_RD), 0);
    EXPECT_EQ(result(receiving), 0);
    EXPECT_EQ(send(pair.server, "x"), 1);
    close_both(pair);
}

TEST_P(SocketConformance, a_closed_peer_is_an_end_and_then_a_broken_pipe) {
    const Pair pair = tcp_pair();
    const auto receiving = start_receive(pair.server, out);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(close(pair.client), 0);
    EXPECT_EQ(result(receiving), 0);
    EXPECT_EQ(send(pair.server, "x"), 1);  // only its answer tells that nobody is there
    EXPECT_EQ(send(pair.server, "x"), -EPIPE);
    EXPECT_EQ(receive(pair.server, out), 0);
    close(pair.server);
}

TEST_P(SocketConformance, closing_over_unread_bytes_resets_the_peer) {
    const Pair pair = tcp_pair();
    const auto receiving = start_receive(pair.server, out);
    EXPECT_EQ(send(pair.server, "unread"), 6);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(close(pair.client), 0);
    EXPECT_EQ(result(receiving), -ECONNRESET);
    EXPECT_EQ(receive(pair.server, out), 0);
    EXPECT_EQ(send(pair.server, "x"), -EPIPE);
    EXPECT_EQ(shutdown(pair.server, SHUT_WR), -ENOTCONN);
    EXPECT_EQ(system().peer_address(pair.server).error(), std::errc::not_connected);
    close(pair.server);
}

TEST_P(SocketConformance, a_reset_shows_in_the_first_send) {
    const Pair pair = tcp_pair();
    EXPECT_EQ(send(pair.server, "unread"), 6);
    EXPECT_EQ(close(pair.client), 0);
    EXPECT_EQ(send(pair.server, "x"), -ECONNRESET);
    EXPECT_EQ(send(pair.server, "x"), -EPIPE);
    close(pair.server);
}

TEST_P(SocketConformance, what_came_before_a_reset_can_be_read) {
    const Pair pair = tcp_pair();
    EXPECT_EQ(send(pair.client, "last"), 4);
    EXPECT_EQ(send(pair.server, "unread"), 6);
    EXPECT_EQ(close(pair.client), 0);
    EXPECT_EQ(receive(pair.server, out), 4);
    EXPECT_EQ(receive(pair.server, out), -ECONNRESET);
    close(pair.server);
}

TEST_P(SocketConformance, poll_shows_the_state_of_a_connection) {
    constexpr unsigned all = POLLIN | POLLOUT | POLLRDHUP;
    const Pair pair = tcp_pair();
    EXPECT_EQ(result(start_poll(pair.client, all)), POLLOUT);
    const auto polling = start_poll(pair.client, POLLIN);
    EXPECT_TRUE(is_pending(polling));
    EXPECT_EQ(send(pair.server, "x"), 1);
    EXPECT_EQ(result(polling), POLLIN);
    EXPECT_EQ(shutdown(pair.server, SHUT_WR), 0);
    EXPECT_EQ(result(start_poll(pair.client, POLLRDHUP)), POLLRDHUP);
    EXPECT_EQ(result(start_poll(pair.client, all)), static_cast<int>(all));
    EXPECT_EQ(shutdown(pair.client, SHUT_WR), 0);
    EXPECT_EQ(result(start_poll(pair.client, 0)), POLLHUP | POLLRDHUP);  // unasked
    close_both(pair);
}

TEST_P(SocketConformance, a_receive_selects_a_buffer_only_for_bytes) {
    Buffers buffers;
    ASSERT_TRUE(ring().register_buffer_ring(buffers.ring(), 4, group));
    buffers.provide(3);
    buffers.provide(0);
    const Pair pair = tcp_pair();
    const auto start_selecting = [&](unsigned size) {
        return start([&](io_uring_sqe* sqe) {
            io_uring_prep_recv(sqe, pair.server, nullptr, size, 0);
            sqe->flags = IOSQE_BUFFER_SELECT;
            sqe->buf_group = group;
        });
    };
    const auto receiving = start_selecting(4);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(send(pair.client, "abcdef"), 6);
    const Completion received = completion(receiving);
    EXPECT_EQ(received.result, 4);
    EXPECT_EQ(buffer_id(received), 3);
    EXPECT_EQ(buffers.text(3, 4), "abcd");
    EXPECT_EQ(receive(pair.server, out), 2);
    EXPECT_EQ(close(pair.client), 0);
    for (int round = 0; round < 3; ++round) {
        const Completion end = completion(start_selecting(0));
        EXPECT_EQ(end.result, 0);
        EXPECT_EQ(end.flags & IORING_CQE_F_BUFFER, 0u);
    }
    EXPECT_TRUE(ring().unregister_buffer_ring(group));
    close(pair.server);
}

// ---- Unix sockets, where they differ ----

TEST_P(SocketConformance, a_unix_socket_is_a_name_among_files) {
    const int listener = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    const SocketAddress name = unix_address(path("listener"));
    ASSERT_TRUE(system().bind(listener, name));
    const int client = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(system().bind(client, name).error(), std::errc::address_in_use);
    EXPECT_EQ(connect(client, name), -ECONNREFUSED);
    EXPECT_EQ(connect(client, unix_address(path("nowhere"))), -ENOENT);
    ASSERT_TRUE(system().listen(listener, 1));
    EXPECT_EQ(connect(client, name), 0);
    close(listener);
    const int late = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect(late, name), -ECONNREFUSED);  // the name outlives its socket
    const std::string file = path("listener");
    EXPECT_EQ(run([&](io_uring_sqe* sqe) { io_uring_prep_unlink(sqe, file.c_str(), 0); }), 0);
    EXPECT_EQ(connect(late, name), -ENOENT);
    close(client);
    close(late);
}

TEST_P(SocketConformance, a_name_without_a_file_is_gone_with_its_socket) {
    const SocketAddress name = unix_address(std::string("\0ringlet-conformance", 20));
    const int listener = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    const int client = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_TRUE(system().bind(listener, name));
    ASSERT_TRUE(system().listen(listener, 1));
    EXPECT_EQ(system().bind(client, name).error(), std::errc::address_in_use);
    EXPECT_EQ(connect(client, name), 0);
    EXPECT_EQ(connect(client, name), -EISCONN);
    close(listener);
    EXPECT_EQ(connect(client, name), -ECONNREFUSED);
    const int late = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect(late, name), -ECONNREFUSED);
    close(late);
    close(client);
}

TEST_P(SocketConformance, a_fresh_unix_socket_can_do_nothing) {
    const int socket = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(receive(socket, out), -EINVAL);
    EXPECT_EQ(send(socket, "x"), -ENOTCONN);
    EXPECT_EQ(result(start_accept(socket)), -EINVAL);
    EXPECT_EQ(system().listen(socket, 1).error(), std::errc::invalid_argument);
    close(socket);
}

TEST_P(SocketConformance, a_unix_peer_that_closed_breaks_the_pipe_at_once) {
    const Pair pair = unix_pair();
    EXPECT_EQ(send(pair.client, "last"), 4);
    EXPECT_EQ(close(pair.client), 0);
    EXPECT_EQ(send(pair.server, "x"), -EPIPE);
    EXPECT_EQ(receive(pair.server, out), 4);
    EXPECT_EQ(receive(pair.server, out), 0);
    close(pair.server);
}

TEST_P(SocketConformance, a_unix_peer_that_closed_over_unread_bytes_resets) {
    const Pair pair = unix_pair();
    EXPECT_EQ(send(pair.server, "unread"), 6);
    EXPECT_EQ(close(pair.client), 0);
    EXPECT_EQ(receive(pair.server, out), -ECONNRESET);
    EXPECT_EQ(receive(pair.server, out), 0);
    EXPECT_EQ(send(pair.server, "x"), -EPIPE);
    close(pair.server);
}

TEST_P(SocketConformance, a_unix_peer_that_stopped_reading_breaks_the_pipe) {
    const Pair pair = unix_pair();
    EXPECT_EQ(shutdown(pair.client, SHUT_RD), 0);
    EXPECT_EQ(send(pair.server, "x"), -EPIPE);
    EXPECT_EQ(receive(pair.client, out), 0);
    EXPECT_EQ(send(pair.client, "still"), 5);
    EXPECT_EQ(receive(pair.server, out), 5);
    close_both(pair);
}

TEST_P(SocketConformance, a_unix_connect_parks_while_the_line_is_full) {
    const int listener = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    const SocketAddress name = unix_address(path("line"));
    ASSERT_TRUE(system().bind(listener, name));
    ASSERT_TRUE(system().listen(listener, 0));  // one may wait nevertheless
    const int first = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    const int second = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect(first, name), 0);
    const auto connecting = start_connect(second, name);
    EXPECT_TRUE(is_pending(connecting));
    const int server = result(start_accept(listener));
    EXPECT_GE(server, 0);
    EXPECT_EQ(result(connecting), 0);
    for (const int descriptor : {first, second, server, listener})
        close(descriptor);
}

}  // namespace
}  // namespace ringlet
