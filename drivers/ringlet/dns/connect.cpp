// The race of connections.
#include <ringlet/dns/connect.hpp>

#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/task/attempt.hpp>

namespace ringlet::dns {
namespace {

unsigned weight_of(Error error) {
    if (error == Error()) return 0;
    if (is_our_own(error)) return 4;
    if (error == std::errc::connection_refused || error == std::errc::connection_reset) return 3;
    if (error == std::errc::timed_out) return 2;
    return 1;
}

// What the tasks of one connect() share. Whoever changes something sets found.news.
struct Race {
    Resolver& resolver;
    std::string_view name;
    std::uint16_t port;
    const ConnectOptions& options;

    Found found;
    bool is_looked_up = false;
    Alternation order{};
    unsigned running = 0;
    bool one_failed = false;  // since the last attempt was started
    std::optional<TcpSocket> winner{};
    Error error{};

    bool has_next() const { return order.has_next(found.v6, found.v4); }
    void note(Error failure) {
        if (weight_of(failure) > weight_of(error)) error = failure;
    }
};

Task<void> look_up(Race& race) {
    const auto done =
        co_await attempt(race.resolver.look_up(race.name, race.options.family, race.found));
    if (!done) race.note(done.error());
    race.is_looked_up = true;
    race.found.news.set();
}

Task<void> try_address(Race& race, IpAddress address) {
    const SocketAddress where = address.with_port(race.port);
    auto socket = co_await attempt(TcpSocket::connect(where, race.options.tcp));
    --race.running;
    if (!socket) {
        race.note(socket.error());
        race.one_failed = true;
    } else if (!race.winner) {
        race.winner.emplace(std::move(*socket));
    }
    race.found.news.set();
}

// Forgets the news after the wait, since the caller looks for itself then. To forget them before it
// would lose those that came between the caller's look and this task's first step.
Task<void> wait_for_news(Race& race, Deadline until_when) {
    const auto waited = co_await attempt(until(until_when, race.found.news.wait()));
    static_cast<void>(waited);
    race.found.news.clear();
}

Task<void> wait_for_addresses(Race& race) {
    while (race.found.empty() && !race.is_looked_up) {
        co_await wait_for_news(race, Deadline::none());
    }
    const Deadline patience = Deadline::after(race.options.resolution_delay);
    while (race.found.v6.empty() && !race.is_looked_up && !patience.has_passed()) {
        co_await wait_for_news(race, patience);
    }
}

// Ends with a winner, or when nothing is left to try.
Task<void> try_addresses(TaskGroup& group, Race& race) {
    Deadline due = Deadline::after(Nanoseconds::zero());  // when the next attempt may start
    while (!race.winner) {
        if (race.has_next() && (due.has_passed() || race.one_failed)) {
            race.one_failed = false;
            const IpAddress address = *race.order.next(race.found.v6, race.found.v4);
            const auto attempted = group.try_spawn(try_address, std::ref(race), address);
            if (attempted) ++race.running;
            else race.note(attempted.error());  // no room for it: those under way go on
            due = Deadline::after(race.options.attempt_delay);
        }
        const bool is_over = race.is_looked_up && race.running == 0 && !race.has_next();
        if (is_over) co_return;
        const Deadline until_when = race.has_next() ? due : Deadline::none();
        co_await wait_for_news(race, until_when);
    }
}

}  // namespace

Task<TcpSocket> connect(Resolver& resolver, std::string_view name, std::uint16_t port,
                        ConnectOptions options) {
    Race race{resolver, name, port, options};
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn(look_up, std::ref(race)).named("look up");
        co_await wait_for_addresses(race);
        co_await try_addresses(group, race);
        group.cancel_tasks();
    });
    if (!race.winner) co_await fail(race.error);
    co_return std::move(*race.winner);
}

}  // namespace ringlet::dns
