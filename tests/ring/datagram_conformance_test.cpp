// Datagram sockets, UDP's on the loopback and Unix', and messages with descriptors, as a program
// sees them through the ring. On the kernel's and on the simulated one.
#include "ring/conformance.hpp"

#include <poll.h>

#include <cstring>

namespace ringlet {
namespace {

// A message's header and the room for what it points to.
struct Message {
    explicit Message(std::span<char> bytes, std::size_t descriptors = 0) {
        vector = {bytes.data(), bytes.size()};
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        if (descriptors == 0) return;
        header.msg_control = control;
        header.msg_controllen = CMSG_LEN(descriptors * sizeof(int));
    }
    void pass(std::initializer_list<int> numbers) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(numbers.size() * sizeof(int));
        cmsghdr* head = CMSG_FIRSTHDR(&header);
        head->cmsg_len = CMSG_LEN(numbers.size() * sizeof(int));
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        std::memcpy(CMSG_DATA(head), numbers.begin(), numbers.size() * sizeof(int));
    }
    std::vector<int> passed() {
        cmsghdr* head = CMSG_FIRSTHDR(&header);
        if (head == nullptr) return {};
        std::vector<int> numbers((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        std::memcpy(numbers.data(), CMSG_DATA(head), numbers.size() * sizeof(int));
        return numbers;
    }
    void name(SocketAddress& address) {
        header.msg_name = address.get();
        header.msg_namelen = sizeof address.storage;
    }

    iovec vector{};
    msghdr header{};
    alignas(cmsghdr) char control[64]{};
};

class DatagramConformance : public Conformance {
protected:
    int udp() { return *system().socket(AF_INET, SOCK_DGRAM, 0); }
    int unix_datagrams() { return *system().socket(AF_UNIX, SOCK_DGRAM, 0); }
    int bound(const SocketAddress& where) {
        const int socket = *system().socket(where.storage.ss_family, SOCK_DGRAM, 0);
        EXPECT_TRUE(system().bind(socket, where));
        return socket;
    }
    SocketAddress name_of(int descriptor) { return *system().local_address(descriptor); }

    int connect(int descriptor, const SocketAddress& address) {
        return run([&](io_uring_sqe* sqe) {
            io_uring_prep_connect(sqe, descriptor, address.get(), address.size);
        });
    }
    std::uint64_t start_receive_message(int descriptor, Message& message, unsigned flags = 0) {
        return start([&](io_uring_sqe* sqe) {
            io_uring_prep_recvmsg(sqe, descriptor, &message.header, flags);
        });
    }
    int receive_message(int descriptor, Message& message, unsigned flags = 0) {
        return result(start_receive_message(descriptor, message, flags));
    }
    std::uint64_t start_send_message(int descriptor, Message& message) {
        return start([&](io_uring_sqe* sqe) {
            io_uring_prep_sendmsg(sqe, descriptor, &message.header, MSG_NOSIGNAL);
        });
    }
    int send_message(int descriptor, Message& message) {
        return result(start_send_message(descriptor, message));
    }
    int send_to(int descriptor, std::string_view text, const SocketAddress& address) {
        std::string bytes(text);
        Message message(bytes);
        message.header.msg_name = const_cast<sockaddr*>(address.get());
        message.header.msg_namelen = address.size;
        return send_message(descriptor, message);
    }
    // Two connected stream sockets.
    std::array<int, 2> stream_pair() {
        const int listener = *system().socket(AF_UNIX, SOCK_STREAM, 0);
        const int client = *system().socket(AF_UNIX, SOCK_STREAM, 0);
        const SocketAddress name = unix_address(path("stream"));
        EXPECT_TRUE(system().bind(listener, name));
        EXPECT_TRUE(system().listen(listener, 1));
        EXPECT_EQ(connect(client, name), 0);
        const int server = run([&](io_uring_sqe* sqe) {
            io_uring_prep_accept(sqe, listener, nullptr, nullptr, SOCK_CLOEXEC);
        });
        EXPECT_EQ(close(listener), 0);
        return {client, server};
    }
    void close_all(std::initializer_list<int> descriptors) {
        for (const int descriptor : descriptors)
            EXPECT_EQ(close(descriptor), 0);
    }
    // Sends `text` with descriptors.
    int pass(int socket, std::string_view text, std::initializer_list<int> numbers) {
        std::string bytes(text);
        Message message(bytes);
        message.pass(numbers);
        return send_message(socket, message);
    }

    std::span<char> part(std::size_t size) { return std::span(out).first(size); }

    std::array<char, 16> out{};
};
INSTANTIATE_TEST_SUITE_P(On, DatagramConformance, ::testing::Values(On::kernel, On::simulation),
                         side_name);

// ---- UDP ----

TEST_P(DatagramConformance, a_datagram_comes_whole_and_with_its_senders_name) {
    const int server = bound(loopback(0));
    const int client = udp();
    SocketAddress from;
    Message message(out);
    message.name(from);
    const auto receiving = start_receive_message(server, message);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(send_to(client, "ab", name_of(server)), 2);
    EXPECT_EQ(send_to(client, "cdef", name_of(server)), 4);
    EXPECT_EQ(result(receiving), 2);
    EXPECT_EQ(message.header.msg_namelen, sizeof(sockaddr_in));
    EXPECT_EQ(message.header.msg_flags, 0);
    EXPECT_EQ(port_of(from), port_of(name_of(client)));
    EXPECT_EQ(receive(server, out), 4);
    EXPECT_EQ(receive(server, out, MSG_DONTWAIT), -EAGAIN);
    close_all({server, client});
}

TEST_P(DatagramConformance, a_datagram_may_be_empty) {
    const int server = bound(loopback(0));
    const int client = udp();
    EXPECT_EQ(send_to(client, "", name_of(server)), 0);
    EXPECT_EQ(send_to(client, "x", name_of(server)), 1);
    EXPECT_EQ(receive(server, out), 0);
    EXPECT_EQ(receive(server, out), 1);
    close_all({server, client});
}

TEST_P(DatagramConformance, what_does_not_fit_is_lost_and_told) {
    const int server = bound(loopback(0));
    const int client = udp();
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(send_to(client, "abcdef", name_of(server)), 6);
    EXPECT_EQ(receive(server, std::span(out).first(4)), 4);
    EXPECT_EQ(receive(server, std::span(out).first(4), MSG_TRUNC), 6);
    Message cut(part(2));
    EXPECT_EQ(receive_message(server, cut), 2);
    EXPECT_EQ(cut.header.msg_flags, MSG_TRUNC);
    EXPECT_EQ(receive_message(server, cut, MSG_TRUNC), 6);
    EXPECT_EQ(cut.header.msg_flags & MSG_TRUNC, MSG_TRUNC);
    EXPECT_EQ(receive(server, out, MSG_DONTWAIT), -EAGAIN);
    close_all({server, client});
}

TEST_P(DatagramConformance, a_receive_of_all_is_of_one_datagram) {
    const int server = bound(loopback(0));
    const int client = udp();
    EXPECT_EQ(send_to(client, "ab", name_of(server)), 2);
    EXPECT_EQ(receive(server, out, MSG_WAITALL), 2);
    close_all({server, client});
}

TEST_P(DatagramConformance, a_fresh_socket_has_nobody_to_send_to) {
    const int socket = udp();
    EXPECT_EQ(send(socket, "x"), -EDESTADDRREQ);
    EXPECT_EQ(send_to(socket, "x", loopback(0)), -EINVAL);
    EXPECT_EQ(send_to(socket, "x", unix_address("/nowhere-at-all")), -EAFNOSUPPORT);
    EXPECT_EQ(receive(socket, out, MSG_DONTWAIT), -EAGAIN);
    EXPECT_EQ(shutdown(socket, SHUT_WR), -ENOTCONN);
    EXPECT_EQ(system().listen(socket, 1).error(), std::errc::operation_not_supported);
    EXPECT_EQ(system().peer_address(socket).error(), std::errc::not_connected);
    EXPECT_EQ(result(start_poll(socket, POLLIN | POLLOUT)), POLLOUT);
    EXPECT_EQ(*system().get_option(socket, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    close(socket);
}

TEST_P(DatagramConformance, a_datagram_that_is_too_long_is_refused) {
    const int socket = udp();
    const std::string much(65508, 'x');
    const int server = bound(loopback(0));
    EXPECT_EQ(send_to(socket, much, name_of(server)), -EMSGSIZE);
    close_all({socket, server});
}

TEST_P(DatagramConformance, a_connected_socket_hears_its_peer_alone) {
    const int server = bound(loopback(0));
    const int other = bound(loopback(0));
    const int client = udp();
    EXPECT_EQ(connect(client, name_of(server)), 0);
    EXPECT_EQ(port_of(*system().peer_address(client)), port_of(name_of(server)));
    EXPECT_NE(port_of(name_of(client)), 0);
    EXPECT_EQ(send_to(other, "no", name_of(client)), 2);
    EXPECT_EQ(send_to(server, "yes", name_of(client)), 3);
    EXPECT_EQ(receive(client, out), 3);
    EXPECT_EQ(receive(client, out, MSG_DONTWAIT), -EAGAIN);
    EXPECT_EQ(send(client, "ping"), 4);
    EXPECT_EQ(receive(server, out), 4);
    EXPECT_EQ(send_to(client, "else", name_of(other)), 4);
    EXPECT_EQ(receive(other, out), 4);
    EXPECT_EQ(connect(client, name_of(other)), 0);  // again, to another
    EXPECT_EQ(send(client, "again"), 5);
    EXPECT_EQ(receive(other, out), 5);
    close_all({server, other, client});
}

TEST_P(DatagramConformance, only_a_connected_socket_is_told_that_nobody_is_there) {
    const int gone = bound(loopback(0));
    const SocketAddress nobody = name_of(gone);
    close(gone);
    const int stranger = udp();
    EXPECT_EQ(send_to(stranger, "x", nobody), 1);
    EXPECT_EQ(send_to(stranger, "x", nobody), 1);
    EXPECT_EQ(receive(stranger, out, MSG_DONTWAIT), -EAGAIN);
    const int client = udp();
    EXPECT_EQ(connect(client, nobody), 0);
    const auto receiving = start_receive(client, out);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(send(client, "x"), 1);
    EXPECT_EQ(result(receiving), -ECONNREFUSED);
    EXPECT_EQ(send(client, "x"), 1);
    EXPECT_EQ(send(client, "x"), -ECONNREFUSED);
    EXPECT_EQ(send(client, "x"), 1);
    EXPECT_EQ(result(start_poll(client, POLLOUT)) & POLLERR, POLLERR);
    EXPECT_EQ(*system().get_option(client, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    EXPECT_EQ(receive(client, out, MSG_DONTWAIT), -EAGAIN);
    close_all({stranger, client});
}

TEST_P(DatagramConformance, a_port_is_taken_by_one_unless_all_share_it) {
    const int one = bound(loopback(0));
    const int other = udp();
    EXPECT_EQ(system().bind(other, name_of(one)).error(), std::errc::address_in_use);
    EXPECT_EQ(system().bind(one, loopback(0)).error(), std::errc::invalid_argument);
    const int stream = *system().socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_TRUE(system().bind(stream, name_of(one)));  // TCP's ports are others
    EXPECT_TRUE(system().set_option(one, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_TRUE(system().set_option(other, SOL_SOCKET, SO_REUSEADDR, 1));
    EXPECT_TRUE(system().bind(other, name_of(one)));
    close_all({one, other, stream});
}

TEST_P(DatagramConformance, a_full_queue_drops_what_comes) {
    const int server = bound(loopback(0));
    const int client = udp();
    const std::string much(8000, 'x');
    int sent = 0;
    for (; sent < 200; ++sent)
        EXPECT_EQ(send_to(client, much, name_of(server)), 8000);
    std::vector<char> large(8192);
    int received = 0;
    while (receive(server, large, MSG_DONTWAIT) == 8000)
        ++received;
    EXPECT_GT(received, 0);
    EXPECT_LT(received, sent);
    close_all({server, client});
}

TEST_P(DatagramConformance, a_parked_receive_can_be_cancelled_and_takes_nothing) {
    const int server = bound(loopback(0));
    const int client = udp();
    Message message(out);
    const auto receiving = start_receive_message(server, message);
    EXPECT_TRUE(is_pending(receiving));
    EXPECT_EQ(cancel(receiving), 0);
    EXPECT_EQ(result(receiving), -ECANCELED);
    EXPECT_EQ(send_to(client, "here", name_of(server)), 4);
    EXPECT_EQ(receive(server, out), 4);
    close_all({server, client});
}

TEST_P(DatagramConformance, version_6_has_datagrams_too) {
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_addr = in6addr_loopback;
    SocketAddress where;
    where.size = sizeof name;
    std::memcpy(&where.storage, &name, sizeof name);
    const int server = bound(where);
    const int client = *system().socket(AF_INET6, SOCK_DGRAM, 0);
    EXPECT_EQ(connect(client, name_of(server)), 0);
    EXPECT_EQ(send(client, "six"), 3);
    SocketAddress from;
    Message message(out);
    message.name(from);
    EXPECT_EQ(receive_message(server, message), 3);
    EXPECT_EQ(message.header.msg_namelen, sizeof(sockaddr_in6));
    EXPECT_EQ(port_of(from), port_of(name_of(client)));
    close_all({server, client});
}

// ---- Unix ----

TEST_P(DatagramConformance, a_unix_datagram_comes_with_its_senders_name_if_it_has_one) {
    const int server = bound(unix_address(path("server")));
    const int named = bound(unix_address(path("named")));
    const int nameless = unix_datagrams();
    const SocketAddress name = unix_address(path("server"));
    EXPECT_EQ(send_to(named, "one", name), 3);
    EXPECT_EQ(send_to(nameless, "two", name), 3);
    SocketAddress from;
    Message message(out);
    message.name(from);
    EXPECT_EQ(receive_message(server, message), 3);
    EXPECT_EQ(message.header.msg_namelen, name_of(named).size);
    const SocketAddress expected = name_of(named);
    EXPECT_EQ(std::memcmp(&from.storage, &expected.storage, expected.size), 0);
    message.name(from);
    EXPECT_EQ(receive_message(server, message), 3);
    EXPECT_EQ(message.header.msg_namelen, 0u);
    EXPECT_EQ(send_to(server, "answer", name_of(named)), 6);
    EXPECT_EQ(receive(named, out), 6);
    close_all({server, named, nameless});
}

TEST_P(DatagramConformance, a_unix_name_must_be_of_the_same_kind) {
    const int datagrams = bound(unix_address(path("datagrams")));
    const int stream = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect(stream, unix_address(path("datagrams"))), -EPROTOTYPE);
    EXPECT_TRUE(system().bind(stream, unix_address(path("bound"))));
    const int client = unix_datagrams();
    EXPECT_EQ(connect(client, unix_address(path("bound"))), -EPROTOTYPE);
    EXPECT_EQ(connect(client, unix_address(path("nowhere"))), -ENOENT);
    close(datagrams);
    EXPECT_EQ(connect(client, unix_address(path("datagrams"))), -ECONNREFUSED);
    EXPECT_EQ(send(client, "x"), -ENOTCONN);
    EXPECT_EQ(send_to(client, "x", unix_address(path("datagrams"))), -ECONNREFUSED);
    EXPECT_EQ(system().listen(client, 1).error(), std::errc::operation_not_supported);
    close_all({stream, client});
}

TEST_P(DatagramConformance, a_file_that_is_no_socket_refuses) {
    const std::string file = path("file");
    const int opened = run([&](io_uring_sqe* sqe) {
        io_uring_prep_openat(sqe, AT_FDCWD, file.c_str(), O_CREAT | O_WRONLY, 0644);
    });
    EXPECT_GE(opened, 0);
    close(opened);
    const int client = unix_datagrams();
    EXPECT_EQ(connect(client, unix_address(file)), -ECONNREFUSED);
    close(client);
}

TEST_P(DatagramConformance, a_full_unix_queue_lets_the_sender_wait) {
    const int server = bound(unix_address(path("slow")));
    const int client = unix_datagrams();
    EXPECT_EQ(connect(client, unix_address(path("slow"))), 0);
    int sent = 0;
    while (sent < 1000 && send(client, "x", MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
        ++sent;
    EXPECT_EQ(sent, 11);  // net.unix.max_dgram_qlen and one more
    // It is polled for. A send that waits in the kernel's ring sends an empty datagram in the end.
    const auto polling = start_poll(client, POLLOUT);
    EXPECT_TRUE(is_pending(polling));
    EXPECT_EQ(receive(server, out), 1);
    EXPECT_EQ(result(polling), POLLOUT);
    EXPECT_EQ(send(client, "x", MSG_DONTWAIT | MSG_NOSIGNAL), 1);
    EXPECT_EQ(send(client, "x", MSG_DONTWAIT | MSG_NOSIGNAL), -EAGAIN);
    const int stranger = unix_datagrams();  // not connected, it has no room to wait for
    EXPECT_EQ(result(start_poll(stranger, POLLOUT)), POLLOUT);
    close(stranger);
    close_all({server, client});
}

TEST_P(DatagramConformance, a_unix_peer_that_is_gone_is_told_once) {
    const int server = bound(unix_address(path("leaves")));
    const int client = unix_datagrams();
    EXPECT_EQ(connect(client, unix_address(path("leaves"))), 0);
    close(server);
    EXPECT_EQ(send(client, "x"), -ECONNREFUSED);
    EXPECT_EQ(send(client, "x"), -ENOTCONN);
    close(client);
}

TEST_P(DatagramConformance, a_unix_socket_that_is_connected_hears_nobody_else) {
    const int one = bound(unix_address(path("one")));
    const int other = bound(unix_address(path("other")));
    const int third = unix_datagrams();
    EXPECT_EQ(connect(one, unix_address(path("other"))), 0);
    EXPECT_EQ(send_to(third, "x", unix_address(path("one"))), -EPERM);
    EXPECT_EQ(connect(third, unix_address(path("one"))), -EPERM);
    EXPECT_EQ(send_to(other, "x", unix_address(path("one"))), 1);
    EXPECT_EQ(receive(one, out), 1);
    close_all({one, other, third});
}

// ---- descriptors in messages ----

TEST_P(DatagramConformance, a_descriptor_travels_with_its_datagram) {
    const int server = bound(unix_address(path("rights")));
    const int client = unix_datagrams();
    EXPECT_EQ(connect(client, unix_address(path("rights"))), 0);
    const auto ends = *system().pipe();
    EXPECT_EQ(pass(client, "take", {ends[0], ends[1]}), 4);
    close_all({ends[0], ends[1]});  // what is under way lives on
    Message message(out, 2);
    EXPECT_EQ(receive_message(server, message, MSG_CMSG_CLOEXEC), 4);
    const std::vector<int> passed = message.passed();
    EXPECT_EQ(message.header.msg_flags & MSG_CTRUNC, 0);
    ASSERT_EQ(passed.size(), 2u);
    EXPECT_EQ(write(passed[1], "through"), 7);
    EXPECT_EQ(result(start_read(passed[0], out)), 7);
    close_all({passed[0], passed[1], server, client});
}

TEST_P(DatagramConformance, descriptors_that_find_no_room_are_closed_and_told) {
    const int server = bound(unix_address(path("narrow")));
    const int client = unix_datagrams();
    EXPECT_EQ(connect(client, unix_address(path("narrow"))), 0);
    const auto ends = *system().pipe();
    EXPECT_EQ(pass(client, "a", {ends[1], ends[1]}), 1);
    EXPECT_EQ(pass(client, "b", {ends[1]}), 1);
    EXPECT_EQ(pass(client, "c", {ends[1]}), 1);
    close(ends[1]);
    const auto reading = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading));  // four writers are under way
    Message one(part(1), 1);
    EXPECT_EQ(receive_message(server, one), 1);
    EXPECT_NE(one.header.msg_flags & MSG_CTRUNC, 0);
    const std::vector<int> passed = one.passed();
    ASSERT_EQ(passed.size(), 1u);
    Message none(part(1));
    EXPECT_EQ(receive_message(server, none), 1);
    EXPECT_NE(none.header.msg_flags & MSG_CTRUNC, 0);
    EXPECT_EQ(receive(server, std::span(out).first(1)), 1);
    EXPECT_TRUE(is_pending(reading));
    close(passed[0]);
    EXPECT_EQ(result(reading), 0);  // the last writer is gone
    close_all({ends[0], server, client});
}

TEST_P(DatagramConformance, descriptors_that_nobody_receives_die_with_their_socket) {
    const int server = bound(unix_address(path("unread")));
    const int client = unix_datagrams();
    const auto ends = *system().pipe();
    EXPECT_EQ(connect(client, unix_address(path("unread"))), 0);
    EXPECT_EQ(pass(client, "lost", {ends[1]}), 4);
    close(ends[1]);
    const auto reading = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading));
    close(server);
    EXPECT_EQ(result(reading), 0);
    close_all({ends[0], client});
}

TEST_P(DatagramConformance, a_number_that_is_no_descriptor_cannot_be_passed) {
    const int server = bound(unix_address(path("bad")));
    const int client = unix_datagrams();
    EXPECT_EQ(connect(client, unix_address(path("bad"))), 0);
    EXPECT_EQ(pass(client, "x", {9999}), -EBADF);
    EXPECT_EQ(receive(server, out, MSG_DONTWAIT), -EAGAIN);
    close_all({server, client});
}

TEST_P(DatagramConformance, a_receive_ends_behind_the_bytes_that_descriptors_came_with) {
    const auto [client, server] = stream_pair();
    const auto ends = *system().pipe();
    EXPECT_EQ(send(client, "ab"), 2);
    EXPECT_EQ(pass(client, "cd", {ends[0]}), 2);
    EXPECT_EQ(send(client, "ef"), 2);
    EXPECT_EQ(pass(client, "gh", {ends[0]}), 2);
    Message first(out, 1);
    EXPECT_EQ(receive_message(server, first), 4);
    ASSERT_EQ(first.passed().size(), 1u);
    EXPECT_EQ(std::string_view(out.data(), 4), "abcd");
    Message second(part(3), 1);
    EXPECT_EQ(receive_message(server, second), 3);  // "efg": the descriptor comes with its first
    ASSERT_EQ(second.passed().size(), 1u);
    EXPECT_EQ(receive(server, out), 1);
    close_all({first.passed()[0], second.passed()[0], ends[0], ends[1], client, server});
}

TEST_P(DatagramConformance, a_receive_that_does_not_ask_for_descriptors_closes_them) {
    const auto [client, server] = stream_pair();
    const auto ends = *system().pipe();
    EXPECT_EQ(pass(client, "ab", {ends[1]}), 2);
    EXPECT_EQ(send(client, "cd"), 2);
    close(ends[1]);
    const auto reading = start_read(ends[0], out);
    EXPECT_TRUE(is_pending(reading));
    std::array<char, 8> bytes;
    EXPECT_EQ(receive(server, bytes), 2);
    EXPECT_EQ(result(reading), 0);
    EXPECT_EQ(receive(server, bytes), 2);
    close_all({ends[0], client, server});
}

TEST_P(DatagramConformance, a_stream_takes_no_address) {
    const auto [client, server] = stream_pair();
    EXPECT_EQ(send_to(client, "x", unix_address(path("stream"))), -EISCONN);
    const int fresh = *system().socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(send_to(fresh, "x", unix_address(path("stream"))), -EOPNOTSUPP);
    close_all({client, server, fresh});
}

}  // namespace
}  // namespace ringlet
