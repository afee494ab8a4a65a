// Streams and datagrams between processes, and the descriptors they carry.
#include <io/io_cases.hpp>

#include <ringlet/flow/gather.hpp>
#include <ringlet/io/line_reader.hpp>
#include <ringlet/io/pipe.hpp>
#include <ringlet/io/poll.hpp>
#include <ringlet/io/stream.hpp>
#include <ringlet/io/unix.hpp>
#include <ringlet/io/unix_datagram.hpp>

#include <cstring>
#include <sys/un.h>

using namespace ringlet;
using namespace ringlet::support;

namespace {

// Both ends of a connection. A constructor, for GCC before 14.
struct Ends {
    Ends(UnixSocket one, UnixSocket other) : client(std::move(one)), server(std::move(other)) {}
    UnixSocket client;
    UnixSocket server;
};

// Of a name of its own in each run.
struct Name {
    char text[64];
    operator std::string_view() const { return text; }
};
Name abstract_name() {
    static unsigned count = 0;
    Name name;
    std::snprintf(name.text, sizeof name.text, "@ringlet-%d-%u", ::getpid(), ++count);
    return name;
}

Task<Ends> connect_both() {
    const Name name = abstract_name();
    auto listener = co_await UnixListener::listen(name);
    auto client = co_await UnixSocket::connect(name);
    auto server = co_await listener.accept();
    co_return Ends(std::move(client), std::move(server));
}

// Both ends of datagrams.
struct Datagrams {
    Datagrams(UnixDatagram one, UnixDatagram other)
        : client(std::move(one)), server(std::move(other)) {}
    UnixDatagram client;
    UnixDatagram server;
};

Task<Datagrams> datagrams_both() {
    const Name name = abstract_name();
    const auto address = co_await unix_address(name);
    auto server = co_await UnixDatagram::bind(name);
    auto client = co_await UnixDatagram::open();
    co_await client.connect(address);
    co_return Datagrams(std::move(client), std::move(server));
}

Task<void> expect_text(UnixSocket& socket, std::string_view text) {
    std::array<std::byte, 64> buffer;
    const auto into = std::span(buffer).first(text.size());
    co_await read_exactly(socket, into);
    EXPECT_EQ(text_of(into), text);
}

// Writes into one end and reads it at the other.
Task<void> expect_connected(int writer, int reader) {
    std::array<std::byte, 8> buffer;
    co_await write_everything(writer, bytes_of("through"));
    const auto count = co_await ReadOperation(reader, buffer, at_position);
    EXPECT_EQ(text_of(std::span(buffer).first(count)), "through");
}

// True if the pipe's last writer is gone.
Task<bool> has_ended(PipeReader& reader) {
    std::array<std::byte, 8> buffer;
    const auto count = co_await attempt(timeout(20ms, reader.read(buffer)));
    co_return count.has_value() && *count == 0;
}

}  // namespace

// ---- streams ----

RINGLET_CASE(Unix, carries_bytes_both_ways) {
    {
        const TestFolder folder = co_await make_test_folder();
        const auto path = folder / "socket";
        auto listener = co_await UnixListener::listen(std::string_view(path));
        auto client = co_await UnixSocket::connect(std::string_view(path));
        auto server = co_await listener.accept();
        co_await client.send_all(bytes_of("ping"));
        co_await expect_text(server, "ping");
        co_await server.send_all(bytes_of("pong"));
        co_await expect_text(client, "pong");
        const auto peer = co_await client.peer_address();
        char expected[160];
        std::snprintf(expected, sizeof expected, "unix:%s", path.text);
        EXPECT_STREQ(text(peer).c_str(), expected);
        const auto local = co_await client.local_address();
        EXPECT_STREQ(text(local).c_str(), "unix:");
        co_await client.shutdown_send();
        std::array<std::byte, 8> buffer;
        const auto end = co_await server.receive(buffer);
        EXPECT_EQ(end, 0u);
        co_await server.send_all(bytes_of("late"));
        co_await expect_text(client, "late");
        co_await server.close();
        const auto broken = co_await attempt(client.send(bytes_of("x")));
        EXPECT_EQ(error_of(broken), std::errc::broken_pipe);
    }
    co_await expect_descriptors(0);
}

RINGLET_CASE(Unix, is_a_source_of_lines) {
    auto ends = co_await connect_both();
    co_await ends.client.send_all(bytes_of("one\ntwo"));
    co_await ends.client.close();
    std::array<char, 16> storage;
    LineReader lines(ends.server, storage);
    const auto one = co_await lines.next();
    EXPECT_EQ(one, "one");
    const auto two = co_await lines.next();
    EXPECT_EQ(two, "two");
    const auto end = co_await lines.next();
    EXPECT_FALSE(end.has_value());
}

RINGLET_CASE(Unix, knows_who_its_peer_is) {
    auto ends = co_await connect_both();
    const auto mine = co_await ends.client.peer_credentials();
    const auto theirs = co_await ends.server.peer_credentials();
    EXPECT_GT(mine.process, 0);
    EXPECT_EQ(mine.process, theirs.process);
    EXPECT_EQ(mine.user, theirs.user);
    EXPECT_EQ(mine.group, theirs.group);
}

RINGLET_CASE(Unix, moves_more_than_all_buffers_hold) {
    static std::array<std::byte, 1'000'000> sent;
    static std::array<std::byte, 1'000'000> received;
    for (std::size_t i = 0; i < sent.size(); ++i)
        sent[i] = static_cast<std::byte>(i * 13);
    received.fill({});
    auto ends = co_await connect_both();
    co_await gather(ends.client.send_all(sent), read_exactly(ends.server, received));
    EXPECT_TRUE(sent == received);
}

// ---- names ----

RINGLET_CASE(Unix, is_refused_where_nobody_listens) {
    const TestFolder folder = co_await make_test_folder();
    const auto path = folder / "gone";
    const auto nowhere = co_await attempt(UnixSocket::connect(std::string_view(path)));
    EXPECT_EQ(error_of(nowhere), std::errc::no_such_file_or_directory);
    {
        auto listener = co_await UnixListener::listen(std::string_view(path));
        co_await listener.close();
    }
    const auto refused = co_await attempt(UnixSocket::connect(std::string_view(path)));
    EXPECT_EQ(error_of(refused), std::errc::connection_refused);
    const auto empty = co_await attempt(UnixSocket::connect(std::string_view("")));
    EXPECT_EQ(error_of(empty), std::errc::invalid_argument);
    auto datagrams = co_await UnixDatagram::bind(std::string_view(folder / "datagrams"));
    const auto other =
        co_await attempt(UnixSocket::connect(std::string_view(folder / "datagrams")));
    EXPECT_EQ(error_of(other), std::errc::wrong_protocol_type);
    co_await datagrams.close();
    co_await expect_descriptors(0);
}

RINGLET_CASE(Unix, takes_a_name_over_that_nobody_has_any_more) {
    const TestFolder folder = co_await make_test_folder();
    const auto path = folder / "stale";
    {
        auto first = co_await UnixListener::listen(std::string_view(path));
        co_await first.close();  // the file stays
    }
    UnixListenOptions keep;
    keep.name.replace_stale = false;
    const auto kept = co_await attempt(UnixListener::listen(std::string_view(path), keep));
    EXPECT_EQ(error_of(kept), std::errc::address_in_use);
    auto second = co_await UnixListener::listen(std::string_view(path));
    auto client = co_await UnixSocket::connect(std::string_view(path));
    auto server = co_await second.accept();
    co_await client.close();
    co_await server.close();
    co_await second.close();
    auto datagrams = co_await UnixDatagram::bind(std::string_view(path));  // of either kind
    co_await datagrams.close();
    co_await expect_descriptors(0);
}

RINGLET_CASE(Unix, leaves_a_name_alone_that_somebody_has) {
    const TestFolder folder = co_await make_test_folder();
    const auto path = folder / "taken";
    {
        auto first = co_await UnixListener::listen(std::string_view(path));
        const auto second = co_await attempt(UnixListener::listen(std::string_view(path)));
        EXPECT_EQ(error_of(second), std::errc::address_in_use);
        const auto third = co_await attempt(UnixDatagram::bind(std::string_view(path)));
        EXPECT_EQ(error_of(third), std::errc::address_in_use);
        auto client = co_await UnixSocket::connect(std::string_view(path));
        auto server = co_await first.accept();  // the only one in line: the probe was none
        co_await server.send_all(bytes_of("still here"));
        co_await expect_text(client, "still here");
    }
    const auto file = folder / "file";
    {
        auto made = co_await File::open(file, OpenMode::replace);
        co_await made.write_all(bytes_of("precious"));
        co_await made.close();
    }
    const auto over_a_file = co_await attempt(UnixListener::listen(std::string_view(file)));
    EXPECT_EQ(error_of(over_a_file), std::errc::address_in_use);
    const auto contents = co_await contents_of(file);
    EXPECT_EQ(contents, "precious");
    co_await expect_descriptors(0);
}

RINGLET_CASE(Unix, has_names_without_a_file) {
    const Name name = abstract_name();
    {
        auto listener = co_await UnixListener::listen(name);
        const auto address = co_await listener.local_address();
        char expected[80];
        std::snprintf(expected, sizeof expected, "unix:%s", name.text);
        EXPECT_STREQ(text(address).c_str(), expected);
        const auto twice = co_await attempt(UnixListener::listen(name));
        EXPECT_EQ(error_of(twice), std::errc::address_in_use);
        co_await listener.close();
    }
    auto again = co_await UnixListener::listen(name);
}

// ---- descriptors ----

RINGLET_CASE_WHOLE(Unix, passes_descriptors_with_bytes) {
    {
        auto ends = co_await connect_both();
        auto pipe = co_await Pipe::open();
        const std::array<int, 2> both = {pipe.reader.descriptor(), pipe.writer.descriptor()};
        co_await ends.client.send_with(bytes_of("two"), both);
        co_await pipe.reader.close();
        co_await pipe.writer.close();
        std::array<std::byte, 16> buffer;
        auto got = co_await ends.server.receive_with(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(got.size)), "two");
        EXPECT_FALSE(got.descriptors_lost);
        EXPECT_EQ(got.descriptors.size(), 2u);
        co_await expect_descriptors(4);
        if (got.descriptors.size() == 2) {
            co_await expect_connected(got.descriptors[1].get(), got.descriptors[0].get());
        }
        co_await ends.client.send_all(bytes_of("none"));
        const auto plain = co_await ends.server.receive_with(buffer);
        EXPECT_EQ(plain.size, 4u);
        EXPECT_TRUE(plain.descriptors.empty());
        EXPECT_FALSE(plain.descriptors_lost);
        co_await ends.client.close();
        const auto end = co_await ends.server.receive_with(buffer);
        EXPECT_EQ(end.size, 0u);
    }
    co_await expect_descriptors(0);
}

RINGLET_CASE_WHOLE(Unix, never_joins_the_bytes_of_two_sends_with_descriptors) {
    auto ends = co_await connect_both();
    auto pipe = co_await Pipe::open();
    const int passed = pipe.reader.descriptor();
    co_await ends.client.send_with(bytes_of("first"), passed);
    co_await ends.client.send_with(bytes_of("second"), passed);
    std::array<std::byte, 16> buffer;
    const auto first = co_await ends.server.receive_with(buffer);
    EXPECT_EQ(first.size, 5u);
    EXPECT_EQ(first.descriptors.size(), 1u);
    const auto second = co_await ends.server.receive_with(buffer);
    EXPECT_EQ(second.size, 6u);
    EXPECT_EQ(second.descriptors.size(), 1u);
}

RINGLET_CASE(Unix, closes_descriptors_that_find_no_room_and_tells) {
    {
        auto ends = co_await connect_both();
        auto pipe = co_await Pipe::open();
        const int writer = pipe.writer.descriptor();
        const std::array<int, 3> three = {writer, writer, writer};
        co_await ends.client.send_with(bytes_of("3"), three);
        co_await pipe.writer.close();
        std::array<std::byte, 8> buffer;
        {
            const auto got = co_await ends.server.receive_with(buffer, 1);
            EXPECT_TRUE(got.descriptors_lost);
            EXPECT_EQ(got.descriptors.size(), 1u);
            co_await expect_descriptors(4);
            const bool early = co_await has_ended(pipe.reader);
            EXPECT_FALSE(early);
        }
        const bool closed = co_await has_ended(pipe.reader);
        EXPECT_TRUE(closed);
    }
    co_await expect_descriptors(0);
}

RINGLET_CASE(Unix, closes_descriptors_that_a_plain_receive_passes_over) {
    auto ends = co_await connect_both();
    auto pipe = co_await Pipe::open();
    co_await ends.client.send_with(bytes_of("x"), pipe.writer.descriptor());
    co_await pipe.writer.close();
    std::array<std::byte, 8> buffer;
    const auto count = co_await ends.server.receive(buffer);
    EXPECT_EQ(count, 1u);
    const bool closed = co_await has_ended(pipe.reader);
    EXPECT_TRUE(closed);
}

RINGLET_CASE(Unix, sends_more_with_descriptors_than_all_buffers_hold) {
    static std::array<std::byte, 1'000'000> sent;
    static std::array<std::byte, 1'000'000> received;
    for (std::size_t i = 0; i < sent.size(); ++i)
        sent[i] = static_cast<std::byte>(i * 7);
    received.fill({});
    auto ends = co_await connect_both();
    auto pipe = co_await Pipe::open();
    auto receive = [&]() -> Task<void> {
        const auto got = co_await ends.server.receive_with(received);
        EXPECT_EQ(got.descriptors.size(), 1u);
        co_await read_exactly(ends.server, std::span(received).subspan(got.size));
    };
    co_await gather(ends.client.send_with(sent, pipe.reader.descriptor()), receive());
    EXPECT_TRUE(sent == received);
}

RINGLET_CASE(Unix, refuses_descriptors_that_cannot_be_passed) {
    auto ends = co_await connect_both();
    const auto bad = co_await attempt(ends.client.send_with(bytes_of("x"), 9999));
    EXPECT_EQ(error_of(bad), std::errc::bad_file_descriptor);
    const std::array<int, passed_descriptors_max + 1> many{};
    const auto too_many = co_await attempt(ends.client.send_with(bytes_of("x"), many));
    EXPECT_EQ(error_of(too_many), std::errc::invalid_argument);
    co_await ends.client.send_all(bytes_of("after"));
    co_await expect_text(ends.server, "after");
}

RINGLET_CASE_ORDERED(Unix, reserves_places_for_descriptors_before_it_receives) {
    {
        auto ends = co_await connect_both();
        auto pipe = co_await Pipe::open();
        co_await ends.client.send_with(bytes_of("x"), pipe.writer.descriptor());
        std::array<std::byte, 8> buffer;
        {
            const FullDescriptors full(2);
            const auto refused = co_await attempt(ends.server.receive_with(buffer, 3));
            expect_descriptor_limit(error_of(refused));
            EXPECT_EQ(scheduler().descriptors(), scheduler().limits().descriptors - 2);
            auto got = co_await ends.server.receive_with(buffer, 2);  // it was not lost
            EXPECT_EQ(got.descriptors.size(), 1u);
            EXPECT_EQ(scheduler().descriptors(), scheduler().limits().descriptors - 1);
        }
    }
    co_await expect_descriptors(0);
}

RINGLET_CASE(Unix, loses_no_descriptor_when_a_receive_is_cancelled) {
    {
        auto ends = co_await connect_both();
        auto pipe = co_await Pipe::open();
        std::array<std::byte, 8> buffer;
        auto receive = [&]() -> Task<void> { (void)co_await ends.server.receive_with(buffer); };
        const bool received = co_await cancel_in_flight(receive);
        EXPECT_FALSE(received);
        co_await expect_descriptors(4);
        const auto late = co_await attempt(timeout(5ms, ends.server.receive_with(buffer)));
        EXPECT_EQ(error_of(late), std::errc::timed_out);
        // The receive has its answer when the cancellation comes: what came is closed.
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            auto task = group.spawn(std::ref(receive));
            co_await yield();
            co_await ends.client.send_with(bytes_of("x"), pipe.writer.descriptor());
            task.cancel();
        });
        co_await ends.client.send_with(bytes_of("y"), pipe.writer.descriptor());
        const auto next = co_await ends.server.receive_with(buffer);
        EXPECT_EQ(next.descriptors.size(), 1u);
    }
    co_await expect_descriptors(0);
}

RINGLET_CASE(Unix, leaks_nothing_when_a_call_is_cancelled_in_flight) {
    {
        const TestFolder folder = co_await make_test_folder();
        const auto path = folder / "cut";
        auto listen = [&]() -> Task<void> {
            (void)co_await UnixListener::listen(std::string_view(path));
        };
        co_await listen();
        co_await cancel_in_flight(listen);  // on its way of taking a stale name over
        auto listener = co_await UnixListener::listen(std::string_view(path));
        auto accept = [&]() -> Task<void> { (void)co_await listener.accept(); };
        const bool accepted = co_await cancel_in_flight(accept);
        EXPECT_FALSE(accepted);
        auto connect = [&]() -> Task<void> {
            (void)co_await UnixSocket::connect(std::string_view(path));
        };
        co_await cancel_in_flight(connect);
        auto ends = co_await connect_both();
        static std::array<std::byte, 16'000'000> much;
        const int passed = listener.descriptor();
        auto send = [&]() -> Task<void> { co_await ends.client.send_with(much, passed); };
        const bool sent = co_await cancel_in_flight(send);
        EXPECT_FALSE(sent);
    }
    co_await expect_descriptors(0);
}

// ---- datagrams ----

RINGLET_CASE(UnixDatagram, carries_datagrams_with_their_senders_names) {
    {
        const TestFolder folder = co_await make_test_folder();
        const auto path = folder / "server";
        auto server = co_await UnixDatagram::bind(std::string_view(path));
        auto client = co_await UnixDatagram::bind(std::string_view(folder / "client"));
        const auto address = co_await server.local_address();
        co_await client.send_to(bytes_of("question"), address);
        std::array<std::byte, 16> buffer;
        const auto question = co_await server.receive_from(buffer);
        EXPECT_EQ(text_of(std::span(buffer).first(question.size)), "question");
        co_await server.send_to(bytes_of("a"), question.address);
        const auto answer = co_await client.receive(buffer);
        EXPECT_EQ(answer.size, 1u);
        auto nameless = co_await UnixDatagram::open();
        co_await nameless.connect(address);
        co_await nameless.send(bytes_of("who?"));
        const auto unknown = co_await server.receive_from(std::span(buffer).first(2));
        EXPECT_EQ(unknown.size, 2u);
        EXPECT_TRUE(unknown.truncated);
        EXPECT_EQ(unknown.address.size, 0u);
        const auto peer = co_await nameless.peer_address();
        EXPECT_STREQ(text(peer).c_str(), text(address).c_str());
        co_await server.close();
        const auto gone = co_await attempt(nameless.send(bytes_of("x")));
        EXPECT_EQ(error_of(gone), std::errc::connection_refused);
        const auto then = co_await attempt(nameless.send(bytes_of("x")));
        EXPECT_EQ(error_of(then), std::errc::not_connected);
    }
    co_await expect_descriptors(0);
}

// The kernel tells such a name with one byte more than it takes.
TEST(UnixDatagram, answers_a_peer_whose_path_fills_all_its_room_kernel) {
    RINGLET_RUN_ON_KERNEL(case_runtime, []() -> Task<void> {
        SocketAddress full;
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        const int size = std::snprintf(name.sun_path, sizeof name.sun_path, "/tmp/ringlet-%d-",
                                       ::getpid());
        std::memset(name.sun_path + size, 'x', sizeof name.sun_path - static_cast<unsigned>(size));
        std::memcpy(&full.storage, &name, sizeof name);
        full.size = sizeof name;
        auto client = co_await UnixDatagram::bind(full);
        const Name own = abstract_name();
        const auto address = co_await unix_address(own);
        auto server = co_await UnixDatagram::bind(own);
        co_await client.send_to(bytes_of("question"), address);
        std::array<std::byte, 16> buffer;
        const auto got = co_await server.receive_from(buffer);
        co_await server.send_to(bytes_of("answer"), got.address);
        const auto answer = co_await client.receive(buffer);
        EXPECT_EQ(answer.size, 6u);
        const auto told = co_await client.local_address();
        EXPECT_EQ(told.size, sizeof name);
        std::array<char, sizeof name.sun_path + 1> path{};
        std::memcpy(path.data(), name.sun_path, sizeof name.sun_path);
        co_await remove_file(path.data());
    });
}

RINGLET_CASE(UnixDatagram, waits_while_the_receiver_is_full_and_loses_nothing) {
    auto both = co_await datagrams_both();
    constexpr unsigned many = 40;
    auto send = [&]() -> Task<void> {
        for (unsigned i = 0; i < many; ++i) {
            co_await both.client.send(std::as_bytes(std::span(&i, 1)));
        }
    };
    auto receive = [&]() -> Task<void> {
        co_await sleep(5ms);
        for (unsigned i = 0; i < many; ++i) {
            unsigned number = many;
            const auto got =
                co_await both.server.receive(std::as_writable_bytes(std::span(&number, 1)));
            EXPECT_EQ(got.size, sizeof number);
            EXPECT_EQ(number, i);
        }
    };
    co_await gather(send(), receive());
}

RINGLET_CASE(UnixDatagram, waits_for_a_full_receiver_without_being_connected) {
    auto both = co_await datagrams_both();
    const auto address = co_await both.server.local_address();
    auto stranger = co_await UnixDatagram::open();
    constexpr unsigned many = 30;
    auto send = [&]() -> Task<void> {
        for (unsigned i = 0; i < many; ++i) {
            co_await stranger.send_to(std::as_bytes(std::span(&i, 1)), address);
        }
    };
    auto receive = [&]() -> Task<void> {
        co_await sleep(5ms);
        for (unsigned i = 0; i < many; ++i) {
            unsigned number = many;
            (void)co_await both.server.receive(std::as_writable_bytes(std::span(&number, 1)));
            EXPECT_EQ(number, i);
        }
    };
    co_await gather(send(), receive());
    for (unsigned i = 0; i < 11; ++i)
        co_await stranger.send_to(bytes_of("x"), address);
    const auto full = co_await attempt(timeout(20ms, stranger.send_to(bytes_of("x"), address)));
    EXPECT_EQ(error_of(full), std::errc::timed_out);
    const auto waiting = co_await attempt(timeout(20ms, both.client.send(bytes_of("x"))));
    EXPECT_EQ(error_of(waiting), std::errc::timed_out);
}

RINGLET_CASE_WHOLE(UnixDatagram, passes_descriptors) {
    {
        auto both = co_await datagrams_both();
        auto pipe = co_await Pipe::open();
        co_await both.client.send_with(bytes_of("writer"), pipe.writer.descriptor());
        co_await pipe.writer.close();
        std::array<std::byte, 4> buffer;
        {
            auto got = co_await both.server.receive_with(buffer, 1);
            EXPECT_EQ(got.size, 4u);
            EXPECT_TRUE(got.truncated);
            EXPECT_FALSE(got.descriptors_lost);
            EXPECT_EQ(got.descriptors.size(), 1u);
            if (got.descriptors.size() == 1) {
                co_await expect_connected(got.descriptors[0].get(), pipe.reader.descriptor());
            }
        }
        const bool closed = co_await has_ended(pipe.reader);
        EXPECT_TRUE(closed);
        auto receive = [&]() -> Task<void> { (void)co_await both.server.receive_with(buffer); };
        const bool received = co_await cancel_in_flight(receive);
        EXPECT_FALSE(received);
    }
    co_await expect_descriptors(0);
}

TEST(Unix, keeps_its_promises_in_every_order_of_completions) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (const Case body :
             {Unix_moves_more_than_all_buffers_hold, Unix_passes_descriptors_with_bytes,
              Unix_loses_no_descriptor_when_a_receive_is_cancelled,
              UnixDatagram_waits_while_the_receiver_is_full_and_loses_nothing}) {
            run_simulated(body, {.seed = seed, .latency_max = Nanoseconds(1ms)});
        }
        run_simulated(Unix_sends_more_with_descriptors_than_all_buffers_hold,
                      {.seed = seed, .short_transfers = true});
    }
}
