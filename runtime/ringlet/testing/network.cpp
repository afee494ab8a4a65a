// Names of sockets: binding, listening, and finding who listens.
#include <ringlet/testing/network.hpp>

#include <ringlet/testing/socket_names.hpp>

namespace ringlet::testing {
namespace {

constexpr std::uint16_t first_ephemeral = 32768;
constexpr std::uint16_t last_ephemeral = 60999;
constexpr int backlog_max = 4096;  // net.core.somaxconn

bool is_known(int family) {
    return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
}

// The kernel asks for a whole address of the socket's family.
int check_name(const Socket& socket, const SocketAddress& address) {
    if (address.size < sizeof(sa_family_t)) return -EINVAL;
    if (socket.family() == AF_INET && address.size < sizeof(sockaddr_in)) return -EINVAL;
    if (socket.family() == AF_INET6 && address.size < sizeof(sockaddr_in6)) return -EINVAL;
    if (family_of(address) == socket.family()) return 0;
    return socket.is_unix() ? -EINVAL : -EAFNOSUPPORT;
}

// A name that fills all of sun_path comes without its terminating zero.
std::array<char, sizeof(sockaddr_un::sun_path) + 1> path_of(std::string_view name) {
    std::array<char, sizeof(sockaddr_un::sun_path) + 1> path{};
    name.copy(path.data(), path.size() - 1);
    return path;
}

}  // namespace

Network::Network(FileTree& files, unsigned sockets, std::size_t socket_bytes)
    : files_(files), sockets_(sockets, *this, socket_bytes) {}

int Network::open(int family, int type, int protocol, Socket*& out) {
    if (!is_known(family)) return -EAFNOSUPPORT;
    if ((type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM) return -ESOCKTNOSUPPORT;
    if (protocol != 0 && (family == AF_UNIX || protocol != IPPROTO_TCP)) return -EPROTONOSUPPORT;
    out = sockets_.take();
    if (out == nullptr) return -ENFILE;
    out->open(family);
    return 0;
}

void Network::forget(Socket& socket) {
    if (socket.node >= 0) files_.release(socket.node);
    socket.node = -1;
}

// ---- binding ----

int Network::bind(Socket& socket, const SocketAddress& address) {
    if (const int error = check_name(socket, address); error != 0) return error;
    if (socket.local.size != 0) return -EINVAL;
    return socket.is_unix() ? bind_unix(socket, address) : bind_internet(socket, address);
}

// Two may share a port if their hosts differ, or if both allow it and neither listens.
bool Network::is_taken(const Socket& socket, const SocketAddress& address, bool to_listen) {
    for (const Socket& other : sockets_) {
        if (&other == &socket || !other.in_use() || other.local.size == 0) continue;
        if (other.family() != socket.family() || port_of(other.local) != port_of(address)) continue;
        const bool apart = !is_any_host(address) && !is_any_host(other.local) &&
                           host_of(address) != host_of(other.local);
        const bool listens = to_listen || other.state() == Socket::State::listening;
        // A connection's local end hinders nobody from listening with SO_REUSEADDR.
        const bool shared = socket.reuse_address && other.reuse_address &&
                            !(listens && other.state() != Socket::State::connected);
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
    if (name.empty() || name.size() > sizeof(sockaddr_un::sun_path)) return -EINVAL;
    if (name.front() != '\0') {
        const int node = files_.make_socket(FileTree::root, path_of(name).data());
        if (node < 0) return node;
        socket.node = node;
    } else {
        for (const Socket& other : sockets_) {
            if (!other.in_use() || !other.is_unix() || other.local.size == 0) continue;
            if (unix_name(other.local) == name) return -EADDRINUSE;
        }
    }
    socket.local = address;
    return 0;
}

int Network::listen(Socket& socket, int backlog) {
    using State = Socket::State;
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

int Network::find_unix_listener(const SocketAddress& address, Socket*& out) {
    const std::string_view name = unix_name(address);
    if (name.empty() || name.size() > sizeof(sockaddr_un::sun_path)) return -EINVAL;
    int node = -1;
    if (name.front() != '\0') {
        node = files_.find(FileTree::root, path_of(name).data());
        if (node < 0) return node;
    }
    for (Socket& socket : sockets_) {
        if (socket.state() != Socket::State::listening || !socket.in_use()) continue;
        if (!socket.is_unix()) continue;
        const bool found = node >= 0 ? socket.node == node : unix_name(socket.local) == name;
        if (found) out = &socket;
    }
    return out == nullptr ? -ECONNREFUSED : 0;
}

int Network::find_listener(const SocketAddress& address, Socket*& out) {
    if (family_of(address) == AF_UNIX) return find_unix_listener(address, out);
    for (Socket& socket : sockets_) {
        if (socket.state() != Socket::State::listening || !socket.in_use()) continue;
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
    if (const int error = check_name(socket, address); error != 0) return error;
    const bool fresh = socket.state() == Socket::State::fresh;
    if (!fresh && !socket.is_unix()) return -EISCONN;
    SocketAddress target = address;
    if (!socket.is_unix() && is_any_host(target)) {
        target = internet_address(socket.family(), true, port_of(address));
    }
    Socket* listener = nullptr;
    if (const int error = find_listener(target, listener); error != 0) return error;
    if (listener->is_full()) return would_block;
    // A Unix socket is asked last whether it may connect at all.
    if (!fresh) return socket.state() == Socket::State::listening ? -EINVAL : -EISCONN;
    Socket* embryo = sockets_.take();
    if (embryo == nullptr) return -ENFILE;
    embryo->open(socket.family());
    if (const int error = name_client(socket, target); error != 0) {
        embryo->release();
        return error;
    }
    embryo->local = socket.is_unix() ? listener->local : target;
    embryo->remote = socket.local;
    embryo->reuse_address = listener->reuse_address;
    socket.connect(*embryo);
    listener->enqueue(*embryo);
    return 0;
}

}  // namespace ringlet::testing
