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
               name == SO_PRIORITY || name == SO_RCVLOWAT;
    }
    if (level == IPPROTO_TCP) {
        return name == TCP_NODELAY || name == TCP_KEEPIDLE || name == TCP_KEEPINTVL ||
               name == TCP_KEEPCNT || name == TCP_USER_TIMEOUT || name == TCP_QUICKACK ||
               name == TCP_CORK;
    }
    if (level == IPPROTO_IP) return name == IP_TOS;
    return level == IPPROTO_IPV6 && (name == IPV6_V6ONLY || name == IPV6_TCLASS);
}

}  // namespace

int Network::set_option(Socket& socket, int level, int name, int value) {
    if (level == SOL_SOCKET && name == SO_REUSEADDR) {
        socket.reuse_address = value != 0;
        return 0;
    }
    if (level == IPPROTO_TCP && socket.is_unix()) return -EOPNOTSUPP;
    if (!is_tuning(level, name)) return -ENOPROTOOPT;
    return socket.keep_option(level, name, value);
}

int Network::get_option(Socket& socket, int level, int name, int& value) {
    if (level == SOL_SOCKET) {
        switch (name) {
            case SO_REUSEADDR: value = socket.reuse_address ? 1 : 0; return 0;
            case SO_ERROR: value = -socket.take_error(); return 0;
            case SO_TYPE: value = SOCK_STREAM; return 0;
            case SO_DOMAIN: value = socket.family(); return 0;
            case SO_ACCEPTCONN: value = socket.state() == Socket::State::listening; return 0;
            default: break;
        }
    }
    if (level == IPPROTO_TCP && socket.is_unix()) return -EOPNOTSUPP;
    if (!is_tuning(level, name)) return -ENOPROTOOPT;
    value = socket.kept_option(level, name);
    return 0;
}

}  // namespace ringlet::testing
