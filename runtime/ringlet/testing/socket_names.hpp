// Addresses of sockets: ports and hosts read from, and written into, a SocketAddress.
#pragma once

#include <ringlet/ring/system.hpp>

#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace ringlet::testing {

inline int family_of(const SocketAddress& address) {
    return address.storage.ss_family;
}

// Both kinds of internet address begin with family and port.
inline std::uint16_t port_of(const SocketAddress& address) {
    sockaddr_in name;
    std::memcpy(&name, &address.storage, sizeof name);
    return ntohs(name.sin_port);
}

inline void set_port(SocketAddress& address, std::uint16_t port) {
    sockaddr_in name;
    std::memcpy(&name, &address.storage, sizeof name);
    name.sin_port = htons(port);
    std::memcpy(&address.storage, &name, sizeof name);
}

using Host = std::array<std::byte, 16>;

inline Host host_of(const SocketAddress& address) {
    Host host{};
    if (family_of(address) == AF_INET) {
        sockaddr_in name;
        std::memcpy(&name, &address.storage, sizeof name);
        std::memcpy(&host, &name.sin_addr, sizeof name.sin_addr);
    } else {
        sockaddr_in6 name;
        std::memcpy(&name, &address.storage, sizeof name);
        std::memcpy(&host, &name.sin6_addr, sizeof name.sin6_addr);
    }
    return host;
}

inline bool is_any_host(const SocketAddress& address) {
    return host_of(address) == Host{};
}

inline SocketAddress internet_address(int family, bool loopback, std::uint16_t port) {
    SocketAddress address;
    if (family == AF_INET) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(port);
        name.sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY);
        address.size = sizeof name;
        std::memcpy(&address.storage, &name, sizeof name);
    } else {
        sockaddr_in6 name{};
        name.sin6_family = AF_INET6;
        name.sin6_port = htons(port);
        name.sin6_addr = loopback ? in6addr_loopback : in6addr_any;
        address.size = sizeof name;
        std::memcpy(&address.storage, &name, sizeof name);
    }
    return address;
}

// Where a packet to `target` comes from, if its sender is bound to no host: all of 127.0.0.0/8
// belongs to the loopback, whose own address is the first.
inline SocketAddress source_for(const SocketAddress& target) {
    const bool loopback = family_of(target) == AF_INET && host_of(target)[0] == std::byte{127};
    if (loopback) return internet_address(AF_INET, true, 0);
    SocketAddress source = target;
    set_port(source, 0);
    return source;
}

// The name of a Unix socket that was never bound.
inline SocketAddress nameless_unix() {
    SocketAddress address;
    address.storage.ss_family = AF_UNIX;
    address.size = sizeof(sa_family_t);
    return address;
}

// A Unix socket's name: a path, or with a zero byte in front a name that is no file (unix(7)).
inline std::string_view unix_name(const SocketAddress& address) {
    const char* name = reinterpret_cast<const char*>(&address.storage);
    constexpr std::size_t start = offsetof(sockaddr_un, sun_path);
    const std::size_t size = address.size > start ? address.size - start : 0;
    if (size == 0 || name[start] == '\0') return {name + start, size};
    return {name + start, ::strnlen(name + start, size)};
}

}  // namespace ringlet::testing
