// Who gets which connection, and when.
#include <http/fake_server.hpp>

#include <ringlet/flow/timeout.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/task/yield.hpp>

#include <cstdlib>
#include <vector>

using namespace ringlet;
using namespace ringlet::support;
using http::Client;
using http::Connection;
using http::ConnectionPool;
using http::HostKey;
using http::Lease;

namespace {

constexpr http::Limits pool_limits{.connections = 3,
                                   .connections_per_host = 2,
                                   .url_bytes = 64,
                                   .header_bytes = 128,
                                   .buffer_bytes = 320,
                                   .idle_ms = 1000};
http::Storage<pool_limits> pool_storage;

constexpr HostKey a{"a", 80};
constexpr HostKey b{"b", 80};
constexpr HostKey c{"c", 80};

// A pool, and, once it is open, a listener that sockets can be connected to.
class Bench {
public:
    explicit Bench(const http::ClientOptions& options = {}) : client_(pool_storage, options) {}

    Task<void> open() {
        auto listener = co_await TcpListener::listen(loopback_address(0));
        listener_.emplace(std::move(listener));
    }
    ConnectionPool& pool() { return client_.pool(); }

    // Connects a leased connection, if it is not, so that it will be idle once it is given back.
    Task<void> connect(Lease& lease) {
        Connection& connection = lease.connection();
        if (connection.is_fresh()) co_return;
        co_await connection.socket().close();
        const auto address = co_await listener_->local_address();
        connection.connected(co_await TcpSocket::connect(address));
    }
    // Takes a connection to `host`, uses it, and gives it back.
    Task<void> use(HostKey host) {
        Lease lease;
        co_await pool().acquire(lease, host);
        co_await connect(lease);
    }

private:
    Client client_;
    std::optional<TcpListener> listener_;
};

// Takes a connection to `host` for each lease.
Task<void> take_all(ConnectionPool& pool, std::span<Lease> leases, HostKey host) {
    for (Lease& each : leases) co_await pool.acquire(each, host);
}

// Those who wait for connections, and hold them until they are let go.
class Line {
public:
    explicit Line(ConnectionPool& pool) : pool_(pool) {}

    TaskHandle<void> join(TaskGroup& group, HostKey host, char name) {
        return group.spawn(&Line::take, std::ref(*this), host, name);
    }
    void let_go() { done_.set(); }

    // Who was served, in order.
    const char* served() const { return names_; }
    void note(char name) { names_[count_++] = name; }

private:
    Task<void> take(HostKey host, char name) {
        Lease lease;
        co_await pool_.acquire(lease, host);
        note(name);
        co_await done_.wait();
    }

    ConnectionPool& pool_;
    Event done_;
    char names_[16] = {};
    unsigned count_ = 0;
};

// What is true always.
void expect_bounds(const ConnectionPool& pool) {
    EXPECT_LE(pool.open(), pool.limits().connections);
    EXPECT_LE(pool.idle(), pool.open());
    for (const HostKey& host : {a, b, c}) {
        EXPECT_LE(pool.open_to(host), pool.connections_per_host());
    }
}

}  // namespace

RINGLET_CASE(HttpConnectionPool, serves_one_host_first_come_first_served) {
    Bench bench;
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    Line line(pool);
    std::array<Lease, 2> held;
    co_await take_all(pool, held, a);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (const char name : {'1', '2', '3', '4'}) {
            (void)line.join(group, a, name);
            co_await yield();
        }
        EXPECT_EQ(pool.waiting(), 4u);
        held[1].release();
        held[0].release();
        co_await yield();
        EXPECT_STREQ(line.served(), "12");
        line.let_go();
    });
    EXPECT_STREQ(line.served(), "1234");
    EXPECT_EQ(pool.open(), 0u);
    EXPECT_EQ(pool.counters().waiting_max, 4u);
    EXPECT_EQ(pool.counters().per_host_max, 2u);
}

RINGLET_CASE(HttpConnectionPool, lets_those_pass_whose_host_is_free) {
    Bench bench;
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    Line line(pool);
    std::array<Lease, 2> held;
    co_await take_all(pool, held, a);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)line.join(group, a, 'a');
        (void)line.join(group, b, 'b');
        (void)line.join(group, c, 'c');
        co_await yield();
        co_await yield();
        EXPECT_STREQ(line.served(), "b");  // b got the last place
        EXPECT_EQ(pool.waiting(), 2u);
        held[0].release();  // a's share and a place: the first in line that can go is a
        co_await yield();
        co_await yield();
        EXPECT_STREQ(line.served(), "ba");
        line.let_go();
    });
    EXPECT_STREQ(line.served(), "bac");
    EXPECT_EQ(pool.counters().connections_max, 3u);
}

RINGLET_CASE(HttpConnectionPool, forgets_a_waiter_that_is_cancelled_in_line) {
    Bench bench;
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    Line line(pool);
    line.let_go();
    std::array<Lease, 2> held;
    co_await take_all(pool, held, a);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto first = line.join(group, a, '1');
        (void)line.join(group, a, '2');
        co_await yield();
        EXPECT_EQ(pool.waiting(), 2u);
        first.cancel();
        EXPECT_EQ(pool.waiting(), 1u);
        held[0].release();
    });
    EXPECT_STREQ(line.served(), "2");
    EXPECT_EQ(pool.open(), 1u);
}

RINGLET_CASE(HttpConnectionPool, passes_on_what_a_cancelled_waiter_was_granted) {
    Bench bench;
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    Line line(pool);
    line.let_go();
    std::array<Lease, 2> held;
    co_await take_all(pool, held, a);
    co_await bench.connect(held[0]);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto first = line.join(group, a, '1');
        (void)line.join(group, a, '2');
        co_await yield();
        held[0].release();  // granted to the first, which has not run yet
        EXPECT_EQ(pool.waiting(), 1u);
        first.cancel();
        EXPECT_EQ(pool.waiting(), 0u);
    });
    EXPECT_STREQ(line.served(), "2");
    EXPECT_EQ(pool.idle(), 1u);  // it is connected still
}

RINGLET_CASE(HttpConnectionPool, reuses_the_connection_that_was_used_last) {
    Bench bench;
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    Lease one;
    Lease two;
    co_await pool.acquire(one, a);
    co_await pool.acquire(two, a);
    co_await bench.connect(one);
    co_await bench.connect(two);
    const Connection* const last = &one.connection();
    two.release();
    one.release();
    EXPECT_EQ(pool.idle(), 2u);
    co_await pool.acquire(two, HostKey{"A", 80});
    EXPECT_EQ(&two.connection(), last);
    EXPECT_TRUE(two.connection().is_fresh());
    co_await pool.acquire(one, HostKey{"a", 81});
    EXPECT_FALSE(one.connection().is_fresh());
}

RINGLET_CASE(HttpConnectionPool, closes_the_longest_idle_for_another_host) {
    Bench bench;
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    co_await bench.use(a);
    co_await bench.use(b);
    {
        Lease keep;
        co_await pool.acquire(keep, c);
        co_await bench.connect(keep);
        EXPECT_EQ(pool.open(), 3u);
        Lease lease;
        co_await pool.acquire(lease, c);
        EXPECT_EQ(pool.open_to(a), 0u);  // a's was idle longer than b's
        EXPECT_EQ(pool.open_to(b), 1u);
        EXPECT_EQ(pool.counters().evicted, 1u);
        // The old socket is closed before there is another: never one descriptor more.
        EXPECT_TRUE(lease.connection().socket().is_open());
        EXPECT_FALSE(lease.connection().is_fresh());
    }
    EXPECT_EQ(pool.open(), 2u);
    co_await expect_open_descriptors(3);  // the listener, b's and c's
}

RINGLET_CASE(HttpConnectionPool, keeps_the_place_of_who_changes_hosts) {
    Bench bench;
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    Line line(pool);
    std::array<Lease, 2> held;
    co_await take_all(pool, held, b);
    co_await bench.connect(held[0]);
    Lease moving;
    co_await pool.acquire(moving, a);
    const Connection* const place = &moving.connection();
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)line.join(group, b, 'b');
        (void)line.join(group, a, 'a');
        co_await yield();
        co_await yield();
        pool.leave_host(moving.connection());
        EXPECT_EQ(pool.open_to(a), 0u);
        EXPECT_EQ(pool.open(), 3u);
        auto move = [&]() -> Task<void> {
            co_await pool.acquire(moving, b);
            line.note('m');
        };
        auto moved = group.spawn(std::ref(move));
        co_await yield();
        EXPECT_EQ(pool.waiting(), 3u);
        held[0].release();  // it takes over the idle connection, and its own place is free for a
        co_await moved.join();
        EXPECT_EQ(&moving.connection(), place);
        EXPECT_TRUE(moving.connection().is_fresh());
        co_await yield();
        EXPECT_STREQ(line.served(), "ma");
        line.let_go();
        moving.release();
    });
    EXPECT_STREQ(line.served(), "mab");
}

RINGLET_CASE(HttpConnectionPool, passes_on_the_share_of_who_leaves_a_host) {
    Bench bench;
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    Line line(pool);
    line.let_go();
    std::array<Lease, 2> held;
    co_await take_all(pool, held, a);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)line.join(group, a, 'a');
        co_await yield();
        EXPECT_EQ(pool.waiting(), 1u);
        pool.leave_host(held[0].connection());
        EXPECT_EQ(pool.waiting(), 0u);
    });
    EXPECT_STREQ(line.served(), "a");
}

RINGLET_CASE(HttpConnectionPool, serves_who_changes_hosts_first_come_first_served) {
    Bench bench({.connections_per_host = 1});
    co_await bench.open();
    ConnectionPool& pool = bench.pool();
    Line line(pool);
    Lease busy;
    std::array<Lease, 2> moving;
    co_await pool.acquire(busy, c);
    co_await pool.acquire(moving[0], a);
    co_await pool.acquire(moving[1], b);
    auto move = [&](Lease& lease, char name) -> Task<void> {
        pool.leave_host(lease.connection());
        co_await pool.acquire(lease, c);
        line.note(name);
        lease.release();
    };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn(std::ref(move), std::ref(moving[0]), '1');
        co_await yield();
        (void)group.spawn(std::ref(move), std::ref(moving[1]), '2');
        co_await yield();
        EXPECT_EQ(pool.waiting(), 2u);
        busy.release();
    });
    EXPECT_STREQ(line.served(), "12");
    EXPECT_EQ(pool.counters().per_host_max, 1u);
}

RINGLET_CASE(HttpConnectionPool, gives_a_host_as_many_as_the_options_say_but_never_more) {
    for (const unsigned asked : {0u, 1u, 2u, 3u, ~0u}) {
        Bench bench({.connections_per_host = asked});
        co_await bench.open();
        ConnectionPool& pool = bench.pool();
        const unsigned expected = asked == 1 ? 1 : pool_limits.connections_per_host;
        EXPECT_EQ(pool.connections_per_host(), expected);
        std::array<Lease, 3> leases;
        unsigned got = 0;
        for (Lease& each : leases) {
            const auto taken = co_await attempt(timeout(1ms, pool.acquire(each, a)));
            got += taken ? 1 : 0;
        }
        EXPECT_EQ(got, expected);
        EXPECT_EQ(pool.open_to(a), expected);
    }
}

namespace {

// Who is being answered, for either name of the server; and the most at once.
struct Load {
    unsigned now[2] = {};
    unsigned most[2] = {};
};
Load load;

// "localhost" sends on to "127.0.0.1": another host by name, but the same server.
Task<void> send_on(Peer& peer) {
    for (;;) {
        const bool asked = co_await peer.hear();
        if (!asked) co_return;
        const bool is_first = peer.head().contains("Host: localhost");
        const unsigned name = is_first ? 0 : 1;
        load.most[name] = std::max(load.most[name], ++load.now[name]);
        co_await sleep(is_first ? 1ms : 5ms);
        --load.now[name];
        if (is_first) {
            const auto port = peer.head().substr(peer.head().find("localhost:") + 10);
            char location[64];
            std::snprintf(location, sizeof location, "Location: http://127.0.0.1:%d/\r\n",
                          std::atoi(port.data()));
            co_await peer.answer("", 302, location);
        } else {
            co_await peer.answer("here");
        }
    }
}

}  // namespace

RINGLET_CASE_UNCUT(HttpConnectionPool, keeps_the_options_bound_at_redirects_to_another_host) {
    load = {};
    auto body = [](FakeServer& server, Client& client) -> Task<void> {
        const auto url = server.url("/", "localhost");
        unsigned had = 0;
        auto get = [&]() -> Task<void> {
            auto response = co_await client.get(url);
            std::array<std::byte, 8> room;
            const auto text = co_await read_text(response, room);
            EXPECT_EQ(text, "here");
            ++had;
        };
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 12; ++i) (void)group.spawn(std::ref(get));
            co_return;
        });
        EXPECT_EQ(had, 12u);
        EXPECT_EQ(client.counters().per_host_max, 1u);
    };
    co_await with_server(send_on, body, {.connections_per_host = 1});
    EXPECT_EQ(load.most[0], 1u);
    EXPECT_EQ(load.most[1], 1u);
}

TEST(HttpConnectionPool, closes_idle_connections_on_time) {
    run_simulated([]() -> Task<void> {
        Bench bench;
        co_await bench.open();
        co_await bench.use(a);
        co_await sleep(600ms);
        co_await bench.use(b);
        co_await sleep(399ms);
        EXPECT_EQ(bench.pool().idle(), 2u);
        co_await sleep(1ms);
        EXPECT_EQ(bench.pool().idle(), 1u);
        EXPECT_EQ(bench.pool().counters().idle_closed, 1u);
        co_await bench.use(b);  // used anew: its time begins anew
        co_await sleep(999ms);
        EXPECT_EQ(bench.pool().idle(), 1u);
        co_await sleep(1ms);
        EXPECT_EQ(bench.pool().idle(), 0u);
        co_await expect_open_descriptors(1);  // the listener
    });
}

// The server has not slept, and has closed them long ago.
TEST(HttpConnectionPool, idle_connections_do_not_outlive_a_suspension) {
    ringlet::testing::Simulation simulation;
    const int status = simulation.run<case_limits>([&]() -> Task<void> {
        Bench bench;
        co_await bench.open();
        ConnectionPool& pool = bench.pool();
        co_await bench.use(a);
        co_await sleep(100ms);
        simulation.world().suspend(8h);
        co_await sleep(1ms);
        EXPECT_EQ(pool.idle(), 0u);
        EXPECT_EQ(pool.counters().idle_closed, 1u);
        // Asked for before the timers have been looked at: as if it were not there.
        std::array<Lease, 2> held;
        co_await take_all(pool, held, a);
        for (Lease& each : held) {
            co_await bench.connect(each);
            each.release();
        }
        EXPECT_EQ(pool.idle(), 2u);
        simulation.world().suspend(8h);
        co_await take_all(pool, held, a);
        EXPECT_FALSE(held[0].connection().is_fresh());
        EXPECT_FALSE(held[1].connection().is_fresh());
        EXPECT_EQ(pool.counters().idle_closed, 3u);
    });
    EXPECT_EQ(status, 0) << simulation.log();
    EXPECT_EQ(simulation.world().open_descriptors(), 3u);
}

RINGLET_CASE_UNCUT(HttpConnectionPool, closes_its_connections_when_it_ends) {
    {
        Bench bench;
        co_await bench.open();
        co_await bench.use(a);
        co_await bench.use(b);
        EXPECT_EQ(bench.pool().idle(), 2u);
    }
    co_await expect_open_descriptors(0);
}

// ---- random load, against a model

namespace {

constexpr unsigned hosts_count = 3;
constexpr HostKey hosts[hosts_count] = {a, b, c};
constexpr unsigned tasks_count = 12;

// What the tasks know: who waits for which host since when, and who holds what.
struct Model {
    std::vector<unsigned> line;  // of tasks
    unsigned host_of[tasks_count] = {};
    std::optional<Instant> overtaken_at[tasks_count];
    unsigned looks = 0;
    unsigned served = 0;
    unsigned cancelled = 0;

    void leave(unsigned task) { std::erase(line, task); }
};

// Nobody waits who could go. Told only if nobody is on the way from the line to his connection.
void expect_work_goes_on(const ConnectionPool& pool, Model& model) {
    expect_bounds(pool);
    EXPECT_LE(pool.waiting(), model.line.size());
    if (pool.waiting() < model.line.size()) return;
    ++model.looks;
    const bool has_place = pool.open() < pool.limits().connections || pool.idle() > 0;
    for (const unsigned task : model.line) {
        const bool has_share =
            pool.open_to(hosts[model.host_of[task]]) < pool.connections_per_host();
        EXPECT_FALSE(has_place && has_share) << "task " << task << " waits for nothing";
    }
}

Task<void> work(Bench& bench, Model& model, ringlet::testing::Random& random, unsigned task) {
    const Unsealed open;
    for (unsigned round = 0; round < 8; ++round) {
        co_await sleep(Nanoseconds(random.between(0, 5)));
        const unsigned host = static_cast<unsigned>(random.between(0, hosts_count - 1));
        model.host_of[task] = host;
        model.line.push_back(task);
        model.overtaken_at[task].reset();
        Lease lease;
        const auto limit = Nanoseconds(random.between(0, 40));
        const auto got = co_await attempt(timeout(limit, bench.pool().acquire(lease, hosts[host])));
        // First come, first served: nobody before this one waits for the same host, but one whose
        // time is up at this moment.
        for (const unsigned other : model.line) {
            if (other == task || !got) break;
            if (model.host_of[other] == host) model.overtaken_at[other] = scheduler().now();
        }
        const auto overtaken = model.overtaken_at[task];
        EXPECT_TRUE(!overtaken || (!got && *overtaken == scheduler().now())) << task;
        model.leave(task);
        EXPECT_EQ(lease.is_held(), got.has_value());
        if (!got) {
            ++model.cancelled;
            continue;
        }
        ++model.served;
        if (random.between(0, 1) == 0) co_await bench.connect(lease);
        co_await sleep(Nanoseconds(random.between(0, 20)));
        if (random.between(0, 3) == 0) lease.connection().give_up();
    }
}

Task<void> watch(Bench& bench, Model& model) {
    for (;;) {
        co_await sleep(Nanoseconds(1));
        co_await yield();
        expect_work_goes_on(bench.pool(), model);
    }
}

std::uint64_t model_seed;

Task<void> random_load() {
    ringlet::testing::Random random(model_seed);
    const auto per_host = static_cast<unsigned>(model_seed % 3);
    Bench bench({.connections_per_host = per_host});
    co_await bench.open();
    const Unsealed open;
    Model model;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        auto watcher = group.spawn(watch, std::ref(bench), std::ref(model));
        co_await TaskGroup::run([&](TaskGroup& workers) -> Task<void> {
            for (unsigned task = 0; task < tasks_count; ++task) {
                (void)workers.spawn(work, std::ref(bench), std::ref(model), std::ref(random), task);
            }
            co_return;
        });
        watcher.cancel();
    });
    EXPECT_EQ(model.served + model.cancelled, tasks_count * 8);
    EXPECT_GT(model.cancelled, 0u);
    EXPECT_GT(model.looks, 10u);
    EXPECT_EQ(bench.pool().leased(), 0u);
    EXPECT_EQ(bench.pool().waiting(), 0u);
    co_await expect_open_descriptors(bench.pool().idle() + 1);
}

}  // namespace

TEST(HttpConnectionPool, keeps_its_promises_under_any_load) {
    for (model_seed = 1; model_seed <= 200; ++model_seed) {
        SCOPED_TRACE(model_seed);
        run_simulated(random_load, {.seed = model_seed});
    }
}
