// Names of sockets: binding, listening, and finding who listens.
#include <ringlet/testing/network.hpp>

#include <ringlet/testing/socket_names.hpp>

#include <algorithm>
#include <cstdio>

namespace ringlet::testing {
namespace {

constexpr std::uint16_t first_ephemeral = 32768;
constexpr std::uint16_t last_ephemeral = 60999;
constexpr int backlog_max = 4096;  // net.core.somaxconn

bool is_known(int family) {
    return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
}

// A name that fills all of sun_path comes without its terminating zero.
std::array<char, sizeof(sockaddr_un::sun_path) + 1> path_of(std::string_view name) {
    std::array<char, sizeof(sockaddr_un::sun_path) + 1> path{};
    name.copy(path.data(), path.size() - 1);
    return path;
}

}  // namespace

// The kernel asks for a whole address of the socket's family.
int check_name(const Socket& socket, const SocketAddress& address) {
    if (address.size < sizeof(sa_family_t)) return -EINVAL;
    if (socket.family() == AF_INET && address.size < sizeof(sockaddr_in)) return -EINVAL;
    if (socket.family() == AF_INET6 && address.size < sizeof(sockaddr_in6)) return -EINVAL;
    if (family_of(address) == socket.family()) return 0;
    return socket.is_unix() ? -EINVAL : -EAFNOSUPPORT;
}

SocketAddress with_own_host(const Socket& socket, const SocketAddress& address) {
    const bool bound = socket.local.size != 0 && !is_any_host(socket.local);
    if (!bound) return internet_address(socket.family(), true, port_of(address));
    SocketAddress target = socket.local;
    set_port(target, port_of(address));
    return target;
}

Network::Network(FileTree& files, const VirtualClock& clock, Random& random,
                 const SimulationOptions& options)
    : files_(files), clock_(clock), random_(random), options_(options), packets_(options.datagrams),
      streams_(options.sockets, *this, options.socket_bytes),
      datagrams_(options.datagram_sockets, *this, options.socket_bytes),
      can_(clock, options.can_sockets, options.can_frames) {
    for (Socket& socket : streams_)
        sockets_.push_back(&socket);
    for (Socket& socket : datagrams_)
        sockets_.push_back(&socket);
}

Network::~Network() {
    while (held_back_.pop_front() != nullptr) {
    }
}

int Network::open(int family, int type, int protocol, Socket*& out) {
    if (family == AF_CAN) return can_.open(type, protocol, out);
    if (!is_known(family)) return -EAFNOSUPPORT;
    const int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM) return -ESOCKTNOSUPPORT;
    const int own = kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    if (protocol != 0 && (family == AF_UNIX || protocol != own)) return -EPROTONOSUPPORT;
    if (kind == SOCK_STREAM) {
        StreamSocket* const stream = streams_.take();
        if (stream != nullptr) stream->open(family);
        out = stream;
    } else {
        DatagramSocket* const datagrams = datagrams_.take();
        if (datagrams != nullptr) datagrams->open(family);
        out = datagrams;
    }
    return out == nullptr ? -ENFILE : 0;
}

void Network::forget(Socket& socket) {
    if (socket.node >= 0) files_.release(socket.node);
    socket.node = -1;
}

void Network::drop_received() {
    for (Socket* socket : sockets_) {
        if (socket->in_use()) socket->drop_received();
    }
}

// ---- binding ----

int Network::bind(Socket& socket, const SocketAddress& address) {
    if (socket.as_can() != nullptr) return can_.bind(*socket.as_can(), address);
    if (const int error = check_name(socket, address); error != 0) return error;
    if (!socket.is_unix() && socket.local.size != 0) return -EINVAL;
    return socket.is_unix() ? bind_unix(socket, address) : bind_internet(socket, address);
}

// Two may share a port if their hosts differ, or if both allow it and neither listens.
bool Network::is_taken(const Socket& socket, const SocketAddress& address, bool to_listen) {
    for (const Socket* each : sockets_) {
        const Socket& other = *each;
        if (&other == &socket || !other.in_use() || other.local.size == 0) continue;
        if (other.type() != socket.type()) continue;  // TCP's ports are not UDP's
        if (other.family() != socket.family() || port_of(other.local) != port_of(address)) continue;
        const bool apart = !is_any_host(address) && !is_any_host(other.local) &&
                           host_of(address) != host_of(other.local);
        // A connection's local end hinders nobody from listening with SO_REUSEADDR.
        const bool stream = socket.type() == SOCK_STREAM;
        const bool listens = (to_listen && !(stream && other.has_peer())) || other.is_listening();
        const bool shared = (socket.reuse_address && other.reuse_address && !listens) ||
                            (socket.reuse_port && other.reuse_port);
        if (!apart && !shared) return true;
    }
    return false;
}

int Network::free_port(const Socket& socket, SocketAddress& address) {
    for (int tries = first_ephemeral; tries <= last_ephemeral; ++tries) {
        const bool again = last_port_ < first_ephemeral || last_port_ == last_ephemeral;
        last_port_ = again ? first_ephemeral : static_cast<std::uint16_t>(last_port_ + 1);
        set_port(address, last_port_);
        if (!is_taken(socket, address, true)) return 0;
    }
    return -EADDRINUSE;
}

// Who sends has a port of its own, even if then nothing can be sent.
int Network::take_port(Socket& socket) {
    if (socket.local.size != 0) return 0;
    SocketAddress name = internet_address(socket.family(), false, 0);
    const int error = free_port(socket, name);
    if (error == 0) socket.local = name;
    return error;
}

int Network::bind_internet(Socket& socket, const SocketAddress& address) {
    SocketAddress name = address;
    if (port_of(name) == 0) {
        if (const int error = free_port(socket, name); error != 0) return error;
    } else if (is_taken(socket, name, false)) {
        return -EADDRINUSE;
    }
    socket.local = name;
    return 0;
}

int Network::bind_unix(Socket& socket, const SocketAddress& address) {
    const std::string_view name = unix_name(address);
    if (name.empty()) return bind_somehow(socket);
    if (name.size() > sizeof(sockaddr_un::sun_path)) return -EINVAL;
    const bool named = !unix_name(socket.local).empty();
    if (name.front() != '\0') {
        const int node = files_.make_socket(FileTree::root, path_of(name).data());
        if (node < 0) return node;
        if (named) {  // which the kernel notices once the file is there
            files_.unlink(FileTree::root, path_of(name).data(), 0);
            files_.release(node);
            return -EINVAL;
        }
        socket.node = node;
    } else {
        if (named) return -EINVAL;
        if (is_taken(socket, name)) return -EADDRINUSE;
    }
    give_name(socket, address);
    return 0;
}

bool Network::is_taken(const Socket& socket, std::string_view name) const {
    return std::any_of(sockets_.begin(), sockets_.end(), [&](const Socket* other) {
        return other->in_use() && other->is_unix() && other->bound &&
               other->type() == socket.type() && unix_name(other->local) == name;
    });
}

// Without a name it gets one that is no file, of five digits (unix(7), "Autobind feature").
int Network::bind_somehow(Socket& socket) {
    if (!unix_name(socket.local).empty()) return 0;
    std::array<char, 7> name{};  // a zero, the digits, and the one that ends the text
    SocketAddress address = nameless_unix();
    do {
        last_name_ = (last_name_ + 1) & 0xfffff;
        std::snprintf(&name[1], name.size() - 1, "%05x", last_name_);
    } while (is_taken(socket, {name.data(), 6}));
    std::memcpy(reinterpret_cast<char*>(&address.storage) + address.size, name.data(), 6);
    address.size += 6;
    give_name(socket, address);
    return 0;
}

void Network::give_name(Socket& socket, const SocketAddress& name) {
    socket.local = name;
    socket.bound = true;
    if (socket.as_stream() != nullptr) socket.as_stream()->tell_name();
}

int Network::listen(Socket& any, int backlog) {
    using State = StreamSocket::State;
    if (any.as_stream() == nullptr) return -EOPNOTSUPP;
    StreamSocket& socket = *any.as_stream();
    if (socket.state() != State::fresh && socket.state() != State::listening) return -EINVAL;
    if (socket.local.size == 0) {
        if (socket.is_unix()) return -EINVAL;
        const int error = bind_internet(socket, internet_address(socket.family(), false, 0));
        if (error != 0) return error;
    }
    const bool starts = socket.state() == State::fresh && !socket.is_unix();
    if (starts && is_taken(socket, socket.local, true)) return -EADDRINUSE;
    // A negative backlog is a very large one, as unsigned numbers have it in the kernel.
    socket.listen(
        static_cast<unsigned>(backlog < 0 ? backlog_max : std::min(backlog, backlog_max)));
    return 0;
}

// ---- connecting ----

// A name of a Unix socket, whatever it is bound to: what has it must be of the type.
int Network::find_unix(const SocketAddress& address, int type, Socket*& out) {
    const std::string_view name = unix_name(address);
    if (name.empty() || name.size() > sizeof(sockaddr_un::sun_path)) return -EINVAL;
    int node = -1;
    if (name.front() != '\0') {
        node = files_.find(FileTree::root, path_of(name).data());
        if (node < 0) return node;
    }
    for (Socket* socket : sockets_) {
        if (!socket->in_use() || !socket->is_unix() || !socket->bound) continue;
        const bool found = node >= 0 ? socket->node == node : unix_name(socket->local) == name;
        // Names without a file are the types' own; behind a file is one socket.
        if (!found || (node < 0 && socket->type() != type)) continue;
        if (socket->type() != type) return -EPROTOTYPE;
        out = socket;
    }
    return out == nullptr ? -ECONNREFUSED : 0;
}

int Network::find_listener(const SocketAddress& address, StreamSocket*& out) {
    if (family_of(address) == AF_UNIX) {
        Socket* found = nullptr;
        const int error = find_unix(address, SOCK_STREAM, found);
        if (error == 0) out = found->as_stream();
        return error == 0 && !out->takes_connections() ? -ECONNREFUSED : error;
    }
    for (StreamSocket& socket : streams_) {
        if (!socket.is_listening() || !socket.in_use()) continue;
        if (socket.family() != family_of(address)) continue;
        if (port_of(socket.local) != port_of(address)) continue;
        const bool exact = host_of(socket.local) == host_of(address);
        // Who named the host goes before who takes any.
        if (exact || (is_any_host(socket.local) && out == nullptr)) out = &socket;
    }
    return out == nullptr ? -ECONNREFUSED : 0;
}

int Network::name_client(Socket& socket, const SocketAddress& address) {
    if (socket.is_unix()) {
        if (socket.local.size == 0) socket.local = nameless_unix();
    } else if (socket.local.size == 0) {
        SocketAddress name = internet_address(socket.family(), true, 0);
        if (const int error = free_port(socket, name); error != 0) return error;
        socket.local = name;
    }
    socket.remote = address;
    return 0;
}

int Network::connect(Socket& socket, const SocketAddress& address) {
    StreamSocket* const stream = socket.as_stream();
    const bool fresh = stream == nullptr || stream->state() == StreamSocket::State::fresh;
    const bool late = !fresh && !socket.is_unix() && address.size >= sizeof(sa_family_t);
    if (late) return -EISCONN;  // whatever the address
    if (stream == nullptr && !socket.is_unix() && address.size >= sizeof(sa_family_t)) {
        if (const int error = take_port(socket); error != 0) return error;
    }
    if (const int error = check_name(socket, address); error != 0) return error;
    SocketAddress target = address;
    if (!socket.is_unix() && is_any_host(target)) {
        target = with_own_host(socket, address);
    }
    return stream != nullptr ? connect_stream(*stream, target)
                             : connect_datagrams(*socket.as_datagram(), target);
}

int Network::connect_stream(StreamSocket& socket, const SocketAddress& target) {
    StreamSocket* listener = nullptr;
    if (const int error = find_listener(target, listener); error != 0) return error;
    if (listener->is_full()) return would_block;
    // A Unix socket is asked last whether it may connect at all.
    if (socket.state() != StreamSocket::State::fresh) {
        return socket.is_listening() ? -EINVAL : -EISCONN;
    }
    StreamSocket* embryo = streams_.take();
    if (embryo == nullptr) return -ENFILE;
    embryo->open(socket.family());
    if (const int error = name_client(socket, target); error != 0) {
        embryo->release();
        return error;
    }
    embryo->local = socket.is_unix() ? listener->local : target;
    embryo->remote = socket.local;
    embryo->inherit_options(*listener);
    socket.connect(*embryo);
    listener->enqueue(*embryo);
    return 0;
}

}  // namespace ringlet::testing
