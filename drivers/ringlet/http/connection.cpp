// What happens to one slot.
#include <ringlet/http/connection.hpp>

#include <ringlet/http/connection_pool.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet::http {

Connection::Connection(ConnectionPool& pool, const Limits& limits, std::span<std::byte> buffers)
    : Timer(hooks_, nullptr), pool_(pool) {
    const auto characters = std::span(reinterpret_cast<char*>(buffers.data()), buffers.size());
    header_room_ = characters.first(limits.header_bytes);
    url_ = characters.last(limits.url_bytes);
    buffer_ = buffers.subspan(limits.header_bytes, limits.buffer_bytes);
}

void Connection::connected(TcpSocket socket) {
    socket_ = std::move(socket);
    is_fresh_ = true;
}

void Connection::close() {
    const TcpSocket closed = std::move(socket_);
    give_up();
}

void Connection::take_socket(Connection& other) {
    RINGLET_ASSERT(!socket_.is_open());
    socket_ = std::move(other.socket_);
    is_fresh_ = std::exchange(other.is_fresh_, false);
}

void Connection::set_host(const HostKey& key) {
    RINGLET_ASSERT(key.host.size() <= host_.size());
    std::ranges::copy(key.host, host_.begin());
    host_bytes_ = key.host.size();
    port_ = key.port;
}

void Connection::set_url(std::string_view url) {
    RINGLET_ASSERT(url.size() <= url_.size());
    std::memcpy(url_.data(), url.data(), url.size());
    url_bytes_ = url.size();
}

void Connection::begin(bool to_head_request) {
    is_fresh_ = false;
    is_busy_ = true;
    parser_.begin(header_room_, to_head_request);
    set_received(0, 0);
}

void Connection::end_response() {
    if (!is_busy_) return;
    // A short rest is passed over, rather than to lose the connection.
    while (!parser_.has_ended() && !received().empty()) {
        const auto rest = received();
        const auto done = parser_.decode(rest, buffer_.subspan(received_at_, rest.size()));
        if (!done) return give_up();
        consume(done->taken);
    }
    is_fresh_ = parser_.has_ended() && parser_.keeps_alive() && received().empty();
    is_busy_ = !is_fresh_;
}

void Connection::idle_too_long(Pending& pending) {
    auto& self = static_cast<Connection&>(static_cast<Timer&>(pending));
    self.pool_.idle_too_long(self);
}

}  // namespace ringlet::http
