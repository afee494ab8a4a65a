// The way of a datagram: who gets it, and what happens to it in between.
#include <ringlet/testing/network.hpp>

#include <ringlet/testing/socket_names.hpp>

#include <algorithm>

namespace ringlet::testing {
namespace {

constexpr std::size_t udp_bytes_max = 65507;  // over IPv4; what fits into an IP packet
static_assert(udp_bytes_max <= Packet::bytes_max);

bool is_same(const SocketAddress& one, const SocketAddress& other) {
    return family_of(one) == family_of(other) && port_of(one) == port_of(other) &&
           host_of(one) == host_of(other);
}

SocketAddress with_host_of(const SocketAddress& host, const SocketAddress& port) {
    SocketAddress address = host;
    set_port(address, port_of(port));
    return address;
}

}  // namespace

int Network::send(DatagramSocket& socket, Outgoing& out) {
    return socket.is_unix() ? send_unix(socket, out) : send_internet(socket, out);
}

bool Network::happens(unsigned percent) {
    return percent != 0 && random_.between(1, 100) <= percent;
}

// ---- UDP ----

// A Unix socket turns to another peer: what the old one sent is lost, and the old one, if it was
// turned to this one, is told.
void Network::leave_peer(DatagramSocket& socket, DatagramSocket* old) {
    if (!socket.has_received()) return;
    socket.drop_received();
    if (old != nullptr && old->peer() == &socket) old->fail(-ECONNRESET);
}

int Network::connect_datagrams(DatagramSocket& socket, const SocketAddress& target) {
    if (socket.is_unix()) {
        Socket* found = nullptr;
        if (const int error = find_unix(target, SOCK_DGRAM, found); error != 0) return error;
        DatagramSocket& to = *found->as_datagram();
        if (to.has_peer() && to.peer() != &socket) return -EPERM;
        const bool another = socket.remote.size != 0 && socket.peer() != &to;
        DatagramSocket* const old = socket.peer();
        socket.set_peer(&to);
        if (another) leave_peer(socket, old);
        socket.remote = target;
        return 0;
    }
    if (is_any_host(socket.local)) {
        socket.local = with_host_of(source_for(target), socket.local);
    }
    socket.remote = target;
    return 0;
}

// Who is connected to the sender goes before who takes anybody's, and who named the host before who
// takes any.
DatagramSocket* Network::find_receiver(const SocketAddress& to, const SocketAddress& from) {
    DatagramSocket* best = nullptr;
    int best_score = -1;
    for (DatagramSocket& socket : datagrams_) {
        if (!socket.in_use() || socket.is_unix() || socket.local.size == 0) continue;
        if (socket.family() != family_of(to) || port_of(socket.local) != port_of(to)) continue;
        const bool any = is_any_host(socket.local);
        if (!any && host_of(socket.local) != host_of(to)) continue;
        const bool connected = socket.remote.size != 0;
        if (connected && !is_same(socket.remote, from)) continue;
        const int score = (connected ? 2 : 0) + (any ? 0 : 1);
        if (score <= best_score) continue;
        best = &socket;
        best_score = score;
    }
    return best;
}

int Network::send_internet(DatagramSocket& socket, Outgoing& out) {
    if (const int error = take_port(socket); error != 0) return error;
    if (out.bytes.size() > udp_bytes_max) return -EMSGSIZE;
    SocketAddress to = socket.remote;
    if (out.to != nullptr) {
        to = *out.to;
        if (const int error = check_name(socket, to); error != 0) return error;
        if (port_of(to) == 0) return -EINVAL;
        if (is_any_host(to)) to = with_own_host(socket, to);
    }
    if (to.size == 0) return -EDESTADDRREQ;
    if (const int error = socket.take_error(); error != 0) return error;
    if (socket.write_is_shut()) return -EPIPE;
    const bool any = is_any_host(socket.local);
    const SocketAddress from = any ? with_host_of(source_for(to), socket.local) : socket.local;
    if (find_receiver(to, from) != nullptr) {
        carry(out.bytes, from, to);
    } else if (socket.remote.size != 0 && is_same(socket.remote, to)) {
        socket.fail(-ECONNREFUSED);  // the answer is ICMP's; only who is connected is told
    }
    return static_cast<int>(out.bytes.size());
}

void Network::carry(std::span<const std::byte> bytes, const SocketAddress& from,
                    const SocketAddress& to) {
    if (happens(options_.datagram_loss)) return;
    const unsigned copies = happens(options_.datagram_duplication) ? 2 : 1;
    for (unsigned i = 0; i < copies; ++i) {
        Packet* packet = packets_.take(bytes);
        if (packet == nullptr) return;
        packet->from = from;
        packet->to = to;
        if (!happens(options_.datagram_reordering)) {
            arrive(*packet);
            continue;
        }
        const auto most = std::max<std::int64_t>(options_.datagram_delay_max.count(), 1);
        const auto late = random_.between(1, static_cast<std::uint64_t>(most));
        packet->due = later(clock_.now(), Nanoseconds(late));
        held_back_.push_back(*packet);
    }
}

// A receiver that is gone meanwhile, or whose queue is full, gets nothing, and nobody is told.
void Network::arrive(Packet& packet) {
    DatagramSocket* to = find_receiver(packet.to, packet.from);
    if (to != nullptr && to->has_room_for(packet.size))
        to->put(packet);
    else
        packets_.give_back(packet);
}

Instant Network::next_arrival() const {
    Instant next = never;
    for (Packet* packet = held_back_.front(); packet != nullptr;
         packet = held_back_.after(*packet)) {
        next = std::min(next, packet->due);
    }
    return next;
}

void Network::let_arrive() {
    Packet* packet = held_back_.front();
    while (packet != nullptr) {
        Packet* const next = held_back_.after(*packet);
        if (packet->due <= clock_.now()) {
            packet->unlink();
            arrive(*packet);
        }
        packet = next;
    }
}

// ---- Unix ----

int Network::find_unix_receiver(DatagramSocket& socket, const Outgoing& out, DatagramSocket*& to) {
    if (out.to != nullptr) {
        Socket* found = nullptr;
        const int error = find_unix(*out.to, SOCK_DGRAM, found);
        if (error == 0) to = found->as_datagram();
        return error;
    }
    if (socket.remote.size == 0) return -ENOTCONN;
    to = socket.peer();
    if (to != nullptr) return 0;
    socket.remote = {};  // it is gone, which is told once, and what was received is lost
    socket.drop_received();
    return -ECONNREFUSED;
}

int Network::send_unix(DatagramSocket& socket, Outgoing& out) {
    if (out.to != nullptr) {
        if (const int error = check_name(socket, *out.to); error != 0) return error;
        if (unix_name(*out.to).empty()) return -EINVAL;
    }
    if (out.bytes.size() > Packet::bytes_max) return -EMSGSIZE;
    if (const int error = socket.take_error(); error != 0) return error;
    if (socket.write_is_shut()) return -EPIPE;
    DatagramSocket* to = nullptr;
    if (const int error = find_unix_receiver(socket, out, to); error != 0) return error;
    if (to->has_peer() && to->peer() != &socket) return -EPERM;
    if (to->read_is_shut()) return -EPIPE;
    if (to != &socket && to->is_full_for(socket)) return would_block;
    Packet* packet = packets_.take(out.bytes);
    if (packet == nullptr) return would_block;
    if (socket.local.size > sizeof(sa_family_t)) packet->from = socket.local;
    packet->rights = std::move(out.rights);
    to->put(*packet);
    return static_cast<int>(out.bytes.size());
}

void Network::forget_peer(DatagramSocket& socket) {
    for (DatagramSocket& other : datagrams_) {
        if (other.in_use() && other.peer() == &socket) other.set_peer(nullptr);
    }
}

}  // namespace ringlet::testing
