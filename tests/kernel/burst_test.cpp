// More at once than there are bounds for: connects, waiting receives, accepts without patience.
#include <kernel/kernel_cases.hpp>

#include <array>
#include <atomic>
#include <charconv>
#include <optional>
#include <thread>
#include <vector>

using namespace ringlet;
using namespace ringlet::support;

namespace {

constexpr unsigned burst = 1000;

// Room for every connection at once, but for eight operations only.
constexpr Limits wide{.tasks = burst,
                      .operations = 8,
                      .descriptors = burst + 2,
                      .frames = {{256, 5000}, {512, 5000}, {1024, 2200}, {2048, 16}, {8192, 2}}};
// Room for a few: the others wait in the backlog.
constexpr Limits narrow{.tasks = 40,
                        .operations = 8,
                        .descriptors = 24,
                        .frames = {{256, 200}, {512, 200}, {1024, 100}, {2048, 16}, {8192, 2}}};

Runtime<wide> wide_runtime;
Runtime<narrow> narrow_runtime;

// --- a burst of connects

// Connects `burst` times without waiting, then asks on all, then looks at the answers.
class Clients {
public:
    // Waits for the server's address on a thread of its own.
    explicit Clients(std::atomic<std::uint16_t>& port) : thread_([this, &port] { run(port); }) {}
    unsigned answered() {
        thread_.join();
        return answered_;
    }

private:
    void run(std::atomic<std::uint16_t>& port) {
        port.wait(0);
        if (port == no_server) return;
        const SocketAddress address = loopback_address(port);
        std::vector<PlainSocket> sockets;
        for (unsigned i = 0; i < burst; ++i) {
            sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            (void)sockets.back().connect(address);
        }
        for (unsigned i = 0; i < burst; ++i) {
            pollfd made{.fd = sockets[i].number(), .events = POLLOUT, .revents = 0};
            ::poll(&made, 1, PlainSocket::patience_ms);
            (void)sockets[i].send(question(i));
        }
        for (unsigned i = 0; i < burst; ++i) answered_ += sockets[i].receive() == question(i);
    }
    std::string_view question(unsigned number) {
        std::snprintf(text_, sizeof text_, "%07u", number);
        return {text_, sizeof text_ - 1};
    }

public:
    static constexpr std::uint16_t no_server = 1;

private:
    char text_[8];
    unsigned answered_ = 0;
    std::thread thread_;
};

Task<void> answer(TcpSocket& socket) {
    std::array<std::byte, 7> question;
    co_await read_exactly(socket, question);
    co_await sleep(20ms);  // the work, which needs no operation: meanwhile others are let in
    co_await socket.send_all(question);
    co_await socket.close();
}

struct Served {
    unsigned answered = 0;
    unsigned refused_accepts = 0;
};

Task<void> serve(TcpSocket socket, Served& served) {
    const auto answered = co_await attempt(answer(socket));
    EXPECT_TRUE(answered.has_value()) << text(answered.error());
    if (answered) ++served.answered;
}

// At Limits::descriptors a connection stays in line; a moment later there is room again.
Task<void> accept_burst(TaskGroup& group, TcpListener& listener, Served& served) {
    for (unsigned accepted = 0; accepted < burst;) {
        auto socket = co_await attempt(listener.accept());
        if (!socket) {
            EXPECT_TRUE(socket.error() == RuntimeDetail::descriptors) << text(socket.error());
            ++served.refused_accepts;
            co_await sleep(1ms);
            continue;
        }
        ++accepted;
        (void)group.spawn(serve, std::move(*socket), std::ref(served));
    }
}

Task<void> serve_burst(std::atomic<std::uint16_t>& port, Served& served) {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0), {.backlog = burst});
        const auto address = co_await listener.local_address();
        port = port_of(address);
        port.notify_all();
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            co_await accept_burst(group, listener, served);
        });
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

template <class R>
void expect_burst_served(R& runtime, Served& served) {
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    constexpr rlim_t needed = 2 * burst + 50;
    if (descriptors.rlim_max < needed) GTEST_SKIP() << "RLIMIT_NOFILE is below " << needed;
    descriptors.rlim_cur = std::max(descriptors.rlim_cur, needed);
    ::setrlimit(RLIMIT_NOFILE, &descriptors);

    const unsigned before = open_descriptors();
    std::atomic<std::uint16_t> port = 0;
    Clients clients(port);
    const int status = runtime.run(serve_burst, std::ref(port), std::ref(served));
    if (port == 0) {
        port = Clients::no_server;
        port.notify_all();
    }
    const unsigned answered = clients.answered();
    RINGLET_EXPECT_STATUS_0(status, "");
    EXPECT_EQ(answered, burst);
    EXPECT_EQ(served.answered, burst);
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_FALSE(runtime.report().completions_overflowed);
    EXPECT_LE(runtime.report().high_water.operations, 8u);
    std::printf("high water: %u tasks, %u operations, %u descriptors; refused %u times\n",
                runtime.report().high_water.tasks, runtime.report().high_water.operations,
                runtime.report().high_water.descriptors, served.refused_accepts);
}

// --- a full house of receives

constexpr unsigned guests = 300;
constexpr Limits house{.tasks = guests,
                       .operations = 8,
                       .descriptors = 2 * guests,
                       .frames = {{256, 1200}, {512, 1200}, {1024, 400}, {2048, 16}, {8192, 2}}};
Runtime<house> house_runtime;

// A socket of the runtime, and its peer.
struct Guest {
    std::optional<TcpSocket> socket;
    PlainSocket peer{-1};
    std::optional<TaskHandle<void>> task;
    unsigned received = 0;
    bool left = false;  // its task has ended
};

struct Guests {
    Guests() {
        for (Guest& each : all) {
            int pair[2];
            if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) std::abort();
            EXPECT_TRUE(scheduler().reserve_descriptor());
            each.socket.emplace(Descriptor(pair[0]));
            each.peer = PlainSocket(pair[1]);
        }
    }
    std::array<Guest, guests> all;
};

// Made anew for each run: too big for a frame.
std::optional<Guests> the_guests;

struct Leaving {
    explicit Leaving(Guest& who) : guest(who) {}
    ~Leaving() { guest.left = true; }
    Guest& guest;
};

Task<void> wait_for_a_byte(Guest& guest) {
    const Leaving leaving(guest);
    std::byte byte{};
    const std::size_t count = co_await guest.socket->receive(std::span(&byte, 1));
    guest.received += static_cast<unsigned>(count);
}

// Each byte was received once, or is still in its socket.
void expect_bytes_conserved(unsigned sent_every) {
    for (unsigned i = 0; i < guests; ++i) {
        Guest& guest = the_guests->all[i];
        char byte = 0;
        const ssize_t left = ::recv(guest.socket->descriptor(), &byte, 1, MSG_DONTWAIT);
        const unsigned sent = sent_every != 0 && i % sent_every == 0 ? 1 : 0;
        EXPECT_EQ(guest.received + (left > 0 ? 1u : 0u), sent) << "guest " << i;
        EXPECT_TRUE(guest.left) << "guest " << i;
    }
}

using Cancel = void (*)(TaskGroup&);

Task<void> wait_and_cancel(TaskGroup& group, Cancel cancel, unsigned sent_every) {
    for (Guest& each : the_guests->all) {
        each.task.emplace(group.spawn(wait_for_a_byte, std::ref(each)));
    }
    co_await sleep(5ms);
    EXPECT_EQ(scheduler().operations().in_flight(), 8u);
    EXPECT_EQ(scheduler().operations().in_line(), guests - 8);
    for (unsigned i = 0; sent_every != 0 && i < guests; i += sent_every) {
        EXPECT_TRUE(the_guests->all[i].peer.send("x"));
    }
    cancel(group);
    for (Guest& each : the_guests->all) each.task.reset();
}

Task<void> empty_the_house(Cancel cancel, unsigned sent_every) {
    the_guests.emplace();
    const Instant before = scheduler().now();
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        co_await wait_and_cancel(group, cancel, sent_every);
    });
    EXPECT_LT(scheduler().now() - before, Instant{2'000'000'000});
    expect_quiet();
    expect_bytes_conserved(sent_every);
    // The credits are back: eight that wait, and more that do not.
    for (Guest& each : the_guests->all) {
        EXPECT_TRUE(each.peer.send("y"));
        std::byte byte{};
        const auto count = co_await timeout(10s, each.socket->receive(std::span(&byte, 1)));
        EXPECT_EQ(count, 1u);
    }
    the_guests.reset();
    co_await expect_descriptors(0);
}

void cancel_the_group(TaskGroup& group) {
    group.cancel_tasks();
}

void cancel_last_to_first(TaskGroup&) {
    for (unsigned i = guests; i > 0; --i) the_guests->all[i - 1].task->cancel();
}

void expect_house_emptied(Cancel cancel, unsigned sent_every) {
    const unsigned before = open_descriptors();
    RINGLET_EXPECT_STATUS_0(house_runtime.run(empty_the_house, cancel, sent_every), "");
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_FALSE(house_runtime.report().completions_overflowed);
    EXPECT_EQ(house_runtime.report().high_water.operations, 8u);
}

// --- accepts without patience

constexpr unsigned tries = 200;
constexpr Limits usual{.tasks = 8, .descriptors = 2 * tries};
Runtime<usual> usual_runtime;

struct Accepted {
    std::array<PlainSocket, tries> clients;
    std::array<unsigned, tries> seen{};  // how often each client's connection was given
};

// Which client it is from.
Task<void> note(TcpSocket& socket, Accepted& accepted) {
    std::array<std::byte, 7> text;
    co_await timeout(10s, read_exactly(socket, text));
    unsigned number = tries;
    std::from_chars(text_of(text).data(), text_of(text).data() + text.size(), number);
    EXPECT_LT(number, tries);
    if (number < tries) ++accepted.seen[number];
}

void call(Accepted& accepted, unsigned number, const SocketAddress& address) {
    char words[8];
    std::snprintf(words, sizeof words, "%07u", number);
    EXPECT_TRUE(accepted.clients[number].connect(address));
    EXPECT_TRUE(accepted.clients[number].send({words, 7}));
}

Task<unsigned> accept_the_rest(TcpListener& listener, Accepted& accepted) {
    for (unsigned count = 0;; ++count) {
        auto socket = co_await attempt(timeout(50ms, listener.accept()));
        if (!socket) co_return count;
        co_await note(*socket, accepted);
    }
}

Task<void> accept_without_patience(Accepted& accepted) {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0), {.backlog = tries});
        const auto address = co_await listener.local_address();
        unsigned given = 0;
        for (unsigned i = 0; i < tries; ++i) {
            if (i % 2 == 0) call(accepted, i, address);
            auto socket = co_await attempt(timeout(0s, listener.accept()));
            if (!socket) {
                EXPECT_EQ(socket.error(), std::errc::timed_out);
                continue;
            }
            ++given;
            co_await note(*socket, accepted);
        }
        const unsigned rest = co_await accept_the_rest(listener, accepted);
        EXPECT_EQ(given + rest, tries / 2);
        std::printf("%u connections were given at once, %u stayed in line\n", given, rest);
        for (unsigned i = 0; i < tries; ++i) EXPECT_EQ(accepted.seen[i], i % 2 == 0 ? 1u : 0u) << i;
        co_await expect_descriptors(1);
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

// A client connects at the moment that the accept is cancelled, now a little sooner, now later.
Task<void> accept_in_a_race(Accepted& accepted, std::atomic<std::uint16_t>& port,
                            std::atomic<unsigned>& turn) {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0), {.backlog = tries});
        const auto address = co_await listener.local_address();
        port = port_of(address);
        unsigned given = 0;
        for (unsigned i = 0; i < tries; ++i) {
            turn = i + 1;
            turn.notify_all();
            const std::chrono::microseconds patience(i);
            auto socket = co_await attempt(timeout(patience, listener.accept()));
            if (!socket) continue;
            ++given;
            co_await note(*socket, accepted);
        }
        const unsigned rest = co_await accept_the_rest(listener, accepted);
        EXPECT_EQ(given + rest, tries);
        std::printf("%u connections were given in time, %u stayed in line\n", given, rest);
        for (unsigned i = 0; i < tries; ++i) EXPECT_EQ(accepted.seen[i], 1u) << i;
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

// Accept and cancellation start in one turn, and the connection is there: the accept wins. Or the
// connection and the cancellation of a waiting accept come in one turn: either may win.
Task<void> accept_and_cancel(Accepted& accepted) {
    {
        auto listener = co_await TcpListener::listen(loopback_address(0), {.backlog = tries});
        const auto address = co_await listener.local_address();
        unsigned given = 0;
        for (unsigned i = 0; i < tries; ++i) {
            std::optional<TcpSocket> socket;
            auto accept = [&]() -> Task<void> { socket.emplace(co_await listener.accept()); };
            const bool waits = i % 2 != 0;
            if (!waits) call(accepted, i, address);
            co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
                (void)group.spawn(std::ref(accept));
                co_await yield();
                if (waits) co_await sleep(100us);
                if (waits) call(accepted, i, address);
                group.cancel_tasks();
            });
            if (!socket) continue;
            ++given;
            co_await note(*socket, accepted);
        }
        const unsigned rest = co_await accept_the_rest(listener, accepted);
        EXPECT_EQ(given + rest, tries);
        std::printf("%u connections were given though cancelled, %u stayed in line\n", given, rest);
        for (unsigned i = 0; i < tries; ++i) EXPECT_EQ(accepted.seen[i], 1u) << i;
    }
    co_await expect_descriptors(0);
    expect_quiet();
}

}  // namespace

TEST(Burst, of_connects_is_served_by_eight_operations) {
    Served served;
    expect_burst_served(wide_runtime, served);
}

TEST(Burst, of_connects_waits_in_the_backlog_while_descriptors_are_used_up) {
    Served served;
    expect_burst_served(narrow_runtime, served);
    if (!IsSkipped()) {
        EXPECT_GT(served.refused_accepts, 0u) << "the bound was never met";
    }
}

TEST(FullHouse, of_receives_is_cancelled_at_once) {
    expect_house_emptied(cancel_the_group, 0);
}

TEST(FullHouse, of_receives_is_cancelled_in_the_other_order) {
    expect_house_emptied(cancel_last_to_first, 0);
}

TEST(FullHouse, loses_no_byte_that_comes_with_the_cancellation) {
    expect_house_emptied(cancel_the_group, 2);
    if (!IsSkipped()) expect_house_emptied(cancel_last_to_first, 3);
}

TEST(Accept, without_patience_loses_no_connection) {
    const unsigned before = open_descriptors();
    {
        Accepted accepted;
        RINGLET_EXPECT_STATUS_0(usual_runtime.run(accept_without_patience, std::ref(accepted)), "");
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Accept, loses_no_connection_that_comes_in_the_turn_of_its_cancellation) {
    const unsigned before = open_descriptors();
    {
        Accepted accepted;
        RINGLET_EXPECT_STATUS_0(usual_runtime.run(accept_and_cancel, std::ref(accepted)), "");
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Accept, loses_no_connection_that_comes_with_its_cancellation) {
    const unsigned before = open_descriptors();
    {
        Accepted accepted;
        std::atomic<std::uint16_t> port = 0;
        std::atomic<unsigned> turn = 0;
        constexpr unsigned no_more = ~0u;
        std::thread caller([&] {
            for (unsigned i = 0; i < tries; ++i) {
                for (unsigned at = turn; at <= i; at = turn) turn.wait(at);
                if (turn == no_more) return;
                call(accepted, i, loopback_address(port));
            }
        });
        const int status = usual_runtime.run(accept_in_a_race, std::ref(accepted), std::ref(port),
                                             std::ref(turn));
        if (turn < tries) turn = no_more;
        turn.notify_all();
        caller.join();
        RINGLET_EXPECT_STATUS_0(status, "");
    }
    EXPECT_EQ(open_descriptors(), before);
}
