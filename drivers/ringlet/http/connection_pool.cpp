// Handing connections out and taking them back.
#include <ringlet/http/connection_pool.hpp>

#include <algorithm>
#include <new>

namespace ringlet::http {

// ---- the places

ConnectionPool::ConnectionPool(const StorageParts& parts, unsigned per_host)
    : limits_(parts.limits),
      room_(parts.connections),
      lent_(parts.lent),
      per_host_(per_host == 0 ? limits_.connections_per_host
                              : std::min(per_host, limits_.connections_per_host)) {
    RINGLET_ASSERT(!lent_);  // one client at a time uses a storage
    lent_ = true;
    const std::size_t bytes = limits_.bytes_per_connection();
    for (unsigned i = 0; i < limits_.connections; ++i) {
        void* const place = room_.data() + i * sizeof(Connection);
        const auto buffers = parts.buffers.subspan(i * bytes, bytes);
        free_.push_back(*::new (place) Connection(*this, limits_, buffers));
    }
}

ConnectionPool::~ConnectionPool() {
    RINGLET_ASSERT(leased() == 0 && waiting_ == 0);  // no Response outlives its client
    while (Connection* const each = idle_.front()) {
        leave_idle(*each);
        set_free(*each);
    }
    for (Connection& each : connections()) {
        each.unlink();
        each.~Connection();
    }
    lent_ = false;
}

std::span<Connection> ConnectionPool::connections() const {
    return {std::launder(reinterpret_cast<Connection*>(room_.data())), limits_.connections};
}

unsigned ConnectionPool::open_to(const HostKey& host) const {
    const auto is_to = [&](const Connection& each) {
        return each.state_ != Connection::State::free && each.host() == host;
    };
    return static_cast<unsigned>(std::ranges::count_if(connections(), is_to));
}

// ---- handing out

// What a request to `host` gets, if it can go now; `held` if it has a place already.
Connection* ConnectionPool::serve(const HostKey& host, Connection* held) {
    close_overdue();
    if (Connection* const idle = serve_idle(host, held)) return idle;
    const unsigned others = open_to(host);
    if (others >= per_host_) return nullptr;
    Connection* const chosen = held != nullptr ? held : take_free();
    if (chosen == nullptr) return nullptr;
    chosen->set_host(host);
    counters_.per_host_max = std::max(counters_.per_host_max, others + 1);
    return chosen;
}

Connection* ConnectionPool::serve_idle(const HostKey& host, Connection* held) {
    Connection* const idle = find_idle(host);
    if (idle == nullptr) return nullptr;
    leave_idle(*idle);
    if (held == nullptr) {
        idle->state_ = Connection::State::leased;
        return idle;
    }
    held->take_socket(*idle);
    held->set_host(host);
    set_free(*idle);
    return held;
}

// The one that was used last: the likeliest to live.
Connection* ConnectionPool::find_idle(const HostKey& host) const {
    Connection* found = nullptr;
    for (Connection* each = idle_.front(); each != nullptr; each = idle_.after(*each)) {
        if (each->host() == host) found = each;
    }
    return found;
}

// A place that nobody has, or that of the connection that is idle longest. Its socket stays with
// it, for the new owner to close before he opens another: so that is never one descriptor more.
Connection* ConnectionPool::take_free() {
    Connection* chosen = free_.pop_front();
    if (chosen != nullptr) {
        counters_.connections_max = std::max(counters_.connections_max, ++open_);
    } else {
        chosen = idle_.front();
        if (chosen == nullptr) return nullptr;
        leave_idle(*chosen);
        chosen->give_up();
        ++counters_.evicted;
    }
    chosen->state_ = Connection::State::leased;
    return chosen;
}

// ---- taking back

void ConnectionPool::give_back(Connection& connection) {
    connection.end_response();
    if (connection.is_fresh()) {
        park(connection);
    } else {
        set_free(connection);
    }
    serve_line();
}

void ConnectionPool::park(Connection& connection) {
    connection.state_ = Connection::State::idle;
    idle_.push_back(connection);
    ++idle_count_;
    const Nanoseconds span = std::chrono::milliseconds(limits_.idle_ms);
    const Instant now = scheduler().now(Clock::boottime);  // servers do not sleep when we do
    scheduler().arm(connection, Clock::boottime, later(now, span));
}

void ConnectionPool::leave_idle(Connection& connection) {
    connection.unlink();
    connection.disarm();
    --idle_count_;
}

// Of one that stands in no list.
void ConnectionPool::set_free(Connection& connection) {
    connection.close();
    connection.clear_host();
    connection.state_ = Connection::State::free;
    free_.push_front(connection);
    --open_;
}

// Nobody in line can use the place: he could have had it before, by an eviction.
void ConnectionPool::idle_too_long(Connection& connection) {
    leave_idle(connection);
    set_free(connection);
    ++counters_.idle_closed;
}

// Those that a board which has just woken up has not looked at yet.
void ConnectionPool::close_overdue() {
    if (idle_.empty()) return;
    const Instant now = scheduler().now(Clock::boottime);
    for (Connection* each = idle_.front(); each != nullptr; each = idle_.front()) {
        if (now < each->deadline()) return;
        idle_too_long(*each);
    }
}

void ConnectionPool::leave_host(Connection& connection) {
    connection.close();
    connection.clear_host();
    serve_line();
}

void Lease::release() {
    Connection* const connection = std::exchange(connection_, nullptr);
    if (connection != nullptr) pool_->give_back(*connection);
}

// ---- the line

IntrusiveList<ConnectionPool::Joining>& ConnectionPool::line_of(const Joining& waiter) {
    return waiter.what.held() != nullptr ? moving_line_ : line_;
}

// Nobody else in line could go, so he may, if he can.
void ConnectionPool::join(Joining& waiter) {
    line_of(waiter).push_back(waiter);
    ++waiting_;
    try_to_serve(waiter);
    counters_.waiting_max = std::max(counters_.waiting_max, waiting_);
}

void ConnectionPool::leave(Joining& waiter) {
    waiter.unlink();
    --waiting_;
}

void ConnectionPool::serve_line() {
    serve_line(moving_line_);
    serve_line(line_);
}

// What one could not have, those behind him cannot have either, if they wait for the same host: so
// a long line for a busy host costs one look a head.
void ConnectionPool::serve_line(const IntrusiveList<Joining>& line) {
    const HostKey* busy = nullptr;
    Joining* next = nullptr;
    for (Joining* each = line.front(); each != nullptr; each = next) {
        const bool has_place = each->what.held() != nullptr || !free_.empty() || !idle_.empty();
        if (!has_place) return;
        next = line.after(*each);
        if (busy != nullptr && *busy == each->what.host_) continue;
        const bool is_served = try_to_serve(*each);
        if (!is_served) busy = &each->what.host_;
    }
}

bool ConnectionPool::try_to_serve(Joining& waiter) {
    Connection* const granted = serve(waiter.what.host_, waiter.what.held());
    if (granted == nullptr) return false;
    leave(waiter);
    waiter.granted = granted;
    waiter.wake();
    return true;
}

bool ConnectionPool::Joining::try_now() {
    granted = what.pool_.serve(what.host_, what.held());
    return granted != nullptr;
}

void ConnectionPool::Joining::start() {
    what.pool_.join(*this);
}

void ConnectionPool::Joining::value() {
    if (what.held() == nullptr) what.lease_ = Lease(what.pool_, *granted);
}

void ConnectionPool::Joining::cancel(Pending& pending) {
    auto& self = static_cast<Joining&>(pending);
    self.what.pool_.leave(self);
    self.end_cancelled();
}

// One that had a place keeps it, in its lease.
void ConnectionPool::Joining::revoke(Pending& pending) {
    auto& self = static_cast<Joining&>(pending);
    if (self.what.held() == nullptr) self.what.pool_.give_back(*self.granted);
}

}  // namespace ringlet::http
