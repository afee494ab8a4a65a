// ConnectionPool: who may use which connection.
//
// A request takes an idle connection to its host; else, if its host has fewer than its limit, a
// free place; else the place of the connection that is idle longest, which belongs to another host.
// Who finds none of these waits in line. Whenever something is given back the line is walked from
// its front, and everybody who can go goes: so nobody overtakes who could have gone, and who waits
// for a busy host stands in nobody's way.
//
// A redirected request keeps its place (with its buffers) while it waits for the new host, before
// all who have none. It holds no host's share meanwhile, so no two of them wait for each other.
#pragma once

#include <ringlet/http/storage.hpp>
#include <ringlet/sync/waiter.hpp>

#include <utility>

namespace ringlet::http {

struct PoolCounters {
    std::uint64_t opened = 0;       // connections that were made
    std::uint64_t reused = 0;       // requests that were sent on a connection used before
    std::uint64_t replaced = 0;     // idle connections that turned out dead, and were made anew
    std::uint64_t evicted = 0;      // idle ones that were closed for another host's request
    std::uint64_t idle_closed = 0;  // closed after the idle time-out
    unsigned connections_max = 0;   // the most at once, idle ones included
    unsigned per_host_max = 0;      // the most to one host
    unsigned waiting_max = 0;       // the longest line
};

class ConnectionPool;

// The right to a connection. Given back by release() or the destructor, whichever comes first.
class [[nodiscard]] Lease {
public:
    Lease() = default;
    explicit Lease(ConnectionPool& pool, Connection& connection)
        : pool_(&pool), connection_(&connection) {}
    Lease(Lease&& other) noexcept
        : pool_(other.pool_), connection_(std::exchange(other.connection_, nullptr)) {}
    Lease& operator=(Lease&& other) noexcept {
        Lease moved(std::move(other));
        std::swap(pool_, moved.pool_);
        std::swap(connection_, moved.connection_);
        return *this;
    }
    ~Lease() { release(); }

    bool is_held() const { return connection_ != nullptr; }
    Connection& connection() const {
        RINGLET_ASSERT(is_held());
        return *connection_;
    }
    void release();

private:
    ConnectionPool* pool_ = nullptr;
    Connection* connection_ = nullptr;
};

class ConnectionPool {
public:
    class Acquire;

    // `per_host`: as ClientOptions::connections_per_host.
    ConnectionPool(const StorageParts& parts, unsigned per_host);
    ~ConnectionPool();
    ConnectionPool(const ConnectionPool&) = delete;
    ConnectionPool& operator=(const ConnectionPool&) = delete;

    // Waits for a connection to `host`, which need not be connected yet, and puts it into `lease`.
    // A lease that holds one keeps it, and it changes to the new host. Both outlive the await.
    //
    // Cancellation: leaves the line; what was on its way goes to the next.
    Acquire acquire(Lease& lease, const HostKey& host);

    // Frees a leased connection's share of its host, as the first half of changing hosts.
    void leave_host(Connection& connection);

    const PoolCounters& counters() const { return counters_; }
    PoolCounters& counters() { return counters_; }
    // Places that are taken: leased or idle.
    unsigned open() const { return open_; }
    unsigned idle() const { return idle_count_; }
    unsigned leased() const { return open_ - idle_count_; }
    unsigned waiting() const { return waiting_; }
    // Places that are taken for one host.
    unsigned open_to(const HostKey& host) const;
    // What open_to() is at most.
    unsigned connections_per_host() const { return per_host_; }
    const Limits& limits() const { return limits_; }

private:
    friend class Lease;
    friend class Connection;
    struct Joining;

    std::span<Connection> connections() const;
    Connection* serve(const HostKey& host, Connection* held);
    Connection* serve_idle(const HostKey& host, Connection* held);
    Connection* find_idle(const HostKey& host) const;
    Connection* take_free();
    void leave_idle(Connection& connection);
    void park(Connection& connection);
    void set_free(Connection& connection);
    void give_back(Connection& connection);
    void idle_too_long(Connection& connection);
    void close_overdue();
    void join(Joining& waiter);
    void leave(Joining& waiter);
    void serve_line();
    void serve_line(const IntrusiveList<Joining>& line);
    bool try_to_serve(Joining& waiter);
    IntrusiveList<Joining>& line_of(const Joining& waiter);

    const Limits& limits_;
    std::span<std::byte> room_;
    bool& lent_;
    unsigned per_host_;
    IntrusiveList<Connection> free_;
    IntrusiveList<Connection> idle_;  // longest first
    IntrusiveList<Joining> moving_line_;  // of those who have a place already
    IntrusiveList<Joining> line_;         // of the others
    unsigned open_ = 0;
    unsigned idle_count_ = 0;
    unsigned waiting_ = 0;
    PoolCounters counters_;
};

struct ConnectionPool::Joining : Waiter {
    static constexpr const char* reason = "http.connection";

    Joining(const PendingHooks& kind, TaskBlock* waiter, Acquire& whose)
        : Waiter(kind, waiter), what(whose) {}
    bool try_now();
    void start();
    void value();
    static void cancel(Pending& pending);
    static void revoke(Pending& pending);

    Acquire& what;
    Connection* granted = nullptr;
};

class [[nodiscard]] ConnectionPool::Acquire {
public:
    using Value = void;
    static constexpr bool is_leaf = true;
    template <bool catches>
    using Awaiter = LineAwaiter<Joining, void, catches>;

    Acquire(ConnectionPool& pool, Lease& lease, const HostKey& host)
        : pool_(pool), lease_(lease), host_(host) {}

private:
    friend struct Joining;
    friend class ConnectionPool;

    Connection* held() const { return lease_.is_held() ? &lease_.connection() : nullptr; }

    ConnectionPool& pool_;
    Lease& lease_;
    HostKey host_;
};

inline ConnectionPool::Acquire ConnectionPool::acquire(Lease& lease, const HostKey& host) {
    return Acquire(*this, lease, host);
}

}  // namespace ringlet::http
