// The options of a simulated socket: those that change what the simulation does are kept, those
// that tune a real network are accepted.
#include <ringlet/testing/network.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace ringlet::testing {
namespace {

bool is_tuning(int level, int name) {
    if (level == SOL_SOCKET) {
        return name == SO_KEEPALIVE || name == SO_RCVBUF || name == SO_SNDBUF ||
               name == SO_PRIORITY || name == SO_RCVLOWAT || name == SO_BROADCAST;
    }
    if (level == IPPROTO_TCP) {
        return name == TCP_NODELAY || name == TCP_KEEPIDLE || name == TCP_KEEPINTVL ||
               name == TCP_KEEPCNT || name == TCP_USER_TIMEOUT || name == TCP_QUICKACK ||
               name == TCP_CORK;
    }
    if (level == IPPROTO_IP) return name == IP_TOS;
    return level == IPPROTO_IPV6 && (name == IPV6_V6ONLY || name == IPV6_TCLASS);
}

// Either on or off, whatever it is set to.
bool is_switch(int level, int name) {
    if (level == SOL_SOCKET) return name == SO_KEEPALIVE || name == SO_BROADCAST;
    if (level != IPPROTO_TCP) return level == IPPROTO_IPV6 && name == IPV6_V6ONLY;
    return name == TCP_NODELAY || name == TCP_QUICKACK || name == TCP_CORK;
}

bool has_level(const Socket& socket, int level) {
    const int own = socket.type() == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    const int network = socket.family() == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    return level == SOL_SOCKET || level == own || level == network;
}

}  // namespace

// ---- Socket: what is kept, and what a new one begins with ----

void Socket::start_anew(int family) {
    family_ = family;
    local = remote = {};
    node = -1;
    bound = reuse_address = reuse_port = false;
    error_ = 0;
    options_count_ = 0;
}

int Socket::keep_option(int level, int name, int value) {
    for (unsigned i = 0; i < options_count_; ++i) {
        Option& option = options_[i];
        if (option.level != level || option.name != name) continue;
        option.value = value;
        return 0;
    }
    if (options_count_ == options_.size()) return -ENOMEM;
    options_[options_count_++] = {level, name, value};
    return 0;
}

int Socket::kept_option(int level, int name) const {
    for (unsigned i = 0; i < options_count_; ++i) {
        if (options_[i].level == level && options_[i].name == name) return options_[i].value;
    }
    return 0;
}

void Socket::inherit_options(const Socket& listener) {
    if (is_unix()) return;
    reuse_address = listener.reuse_address;
    reuse_port = listener.reuse_port;
    options_ = listener.options_;
    options_count_ = listener.options_count_;
}

// ---- Network ----

int Network::set_option(Socket& socket, int level, int name, int value) {
    if (CanSocket* const can = socket.as_can(); can != nullptr) {
        return can->set_option(level, name, value);
    }
    if (level == SOL_SOCKET && name == SO_REUSEADDR) {
        socket.reuse_address = value != 0;
        return 0;
    }
    if (level == SOL_SOCKET && name == SO_REUSEPORT && !socket.is_unix()) {
        socket.reuse_port = value != 0;
        return 0;
    }
    if (level != SOL_SOCKET && socket.is_unix()) return -EOPNOTSUPP;
    if (level == IPPROTO_TCP && socket.type() == SOCK_DGRAM) return -ENOPROTOOPT;
    if (!is_tuning(level, name)) return -ENOPROTOOPT;
    return socket.keep_option(level, name, is_switch(level, name) ? (value != 0 ? 1 : 0) : value);
}

int Network::get_option(Socket& socket, int level, int name, int& value) {
    if (level == SOL_SOCKET) {
        switch (name) {
            case SO_REUSEADDR: value = socket.reuse_address ? 1 : 0; return 0;
            case SO_ERROR: value = -socket.take_error(); return 0;
            case SO_REUSEPORT: value = socket.reuse_port ? 1 : 0; return 0;
            case SO_TYPE: value = socket.type(); return 0;
            case SO_DOMAIN: value = socket.family(); return 0;
            case SO_ACCEPTCONN: value = socket.is_listening() ? 1 : 0; return 0;
            default: break;
        }
    }
    if (level != SOL_SOCKET && socket.is_unix()) return -EOPNOTSUPP;
    if (!has_level(socket, level)) return -EOPNOTSUPP;  // while setting gives ENOPROTOOPT
    if (!is_tuning(level, name)) return -ENOPROTOOPT;
    value = socket.kept_option(level, name);
    return 0;
}

}  // namespace ringlet::testing
