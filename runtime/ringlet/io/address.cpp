// Between sockaddr_in, sockaddr_in6, sockaddr_un and text.
#include <ringlet/io/address.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <optional>

namespace ringlet {
namespace {

std::unexpected<Error> malformed() {
    return std::unexpected(Error(std::errc::invalid_argument));
}

template <class Internet>
SocketAddress wrapped(const Internet& address) {
    SocketAddress whole;
    std::memcpy(&whole.storage, &address, sizeof address);
    whole.size = sizeof address;
    return whole;
}

template <class Internet>
Internet unwrapped(const SocketAddress& address) {
    Internet internet{};
    std::memcpy(&internet, &address.storage, sizeof internet);
    return internet;
}

SocketAddress address_v4(in_addr host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr = host;
    return wrapped(address);
}

SocketAddress address_v6(const in6_addr& host, std::uint16_t port, std::uint32_t scope) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = host;
    address.sin6_scope_id = scope;
    return wrapped(address);
}

// All of `digits`, in decimal, without a sign.
template <class Number>
std::optional<Number> parse_number(std::string_view digits) {
    Number number{};
    const char* const end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return number;
}

bool looks_like_a_name(std::string_view host) {
    bool letter = false;
    for (const char each : host) {
        const bool is_letter = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
        const bool is_other = (each >= '0' && each <= '9') || each == '-' || each == '.' ||
                              each == '_';
        if (!is_letter && !is_other) return false;
        letter |= is_letter;
    }
    return letter;
}

// inet_pton(3) wants a NUL at the end.
template <class Host>
bool parse_host(int family, std::string_view text, Host& host) {
    char terminated[INET6_ADDRSTRLEN]{};
    if (text.size() >= sizeof terminated || text.contains('\0')) return false;
    std::memcpy(terminated, text.data(), text.size());
    return ::inet_pton(family, terminated, &host) == 1;
}

constexpr std::size_t unix_name_start = offsetof(sockaddr_un, sun_path);

// A path ends at its NUL; a name that is no file begins with one, which is written as '@'.
std::size_t write_unix_name(const SocketAddress& address, char* to) {
    const auto name = unwrapped<sockaddr_un>(address);
    std::size_t size = std::min<std::size_t>(address.size, sizeof name);
    size = size > unix_name_start ? size - unix_name_start : 0;
    const bool is_file = size == 0 || name.sun_path[0] != '\0';
    if (is_file) size = ::strnlen(name.sun_path, size);
    std::memcpy(to, name.sun_path, size);
    if (!is_file) to[0] = '@';
    return size;
}

}  // namespace

Result<SocketAddress> parse_address(std::string_view host, std::uint16_t port) {
    in_addr v4{};
    if (parse_host(AF_INET, host, v4)) return address_v4(v4, port);
    in6_addr v6{};
    const std::size_t percent = host.find('%');
    if (parse_host(AF_INET6, host.substr(0, percent), v6)) {
        if (percent == host.npos) return address_v6(v6, port, 0);
        const auto scope = parse_number<std::uint32_t>(host.substr(percent + 1));
        if (!scope) return malformed();
        return address_v6(v6, port, *scope);
    }
    if (host == "localhost") return loopback_address(port);
    if (!looks_like_a_name(host)) return malformed();
    return std::unexpected(Error(std::errc::destination_address_required));
}

Result<SocketAddress> parse_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) return malformed();
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!port) return malformed();
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    // Brackets are for what has colons, and for nothing else.
    if (bracketed != host.contains(':')) return malformed();
    return parse_address(host, *port);
}

SocketAddress loopback_address(std::uint16_t port) {
    return address_v4({.s_addr = htonl(INADDR_LOOPBACK)}, port);
}
SocketAddress loopback_address_v6(std::uint16_t port) {
    in6_addr host{};
    host.s6_addr[15] = 1;
    return address_v6(host, port, 0);
}
SocketAddress any_address(std::uint16_t port) {
    return address_v4({.s_addr = htonl(INADDR_ANY)}, port);
}
SocketAddress any_address_v6(std::uint16_t port) {
    return address_v6(in6_addr{}, port, 0);
}

// A path is followed by a NUL, which counts; a name that is no file is as long as it is.
Result<SocketAddress> unix_address(std::string_view path) {
    sockaddr_un name{};
    if (path.empty() || path.contains('\0')) return malformed();
    if (path.size() >= sizeof name.sun_path) {
        return std::unexpected(Error(std::errc::filename_too_long));
    }
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, path.size());
    const bool is_file = path.front() != '@';
    if (!is_file) name.sun_path[0] = '\0';
    SocketAddress address = wrapped(name);
    address.size = static_cast<socklen_t>(unix_name_start + path.size() + (is_file ? 1 : 0));
    return address;
}

std::uint16_t port_of(const SocketAddress& address) {
    switch (address.storage.ss_family) {
        case AF_INET: return ntohs(unwrapped<sockaddr_in>(address).sin_port);
        case AF_INET6: return ntohs(unwrapped<sockaddr_in6>(address).sin6_port);
        default: return 0;
    }
}

AddressText text(const SocketAddress& address) {
    AddressText out;
    char* const to = out.characters_.data();
    const std::size_t room = out.characters_.size();
    char host[INET6_ADDRSTRLEN]{};
    const int family = address.storage.ss_family;
    const unsigned port = port_of(address);
    if (family == AF_INET) {
        const auto internet = unwrapped<sockaddr_in>(address);
        ::inet_ntop(family, &internet.sin_addr, host, sizeof host);
        std::snprintf(to, room, "%s:%u", host, port);
    } else if (family == AF_INET6) {
        const auto internet = unwrapped<sockaddr_in6>(address);
        ::inet_ntop(family, &internet.sin6_addr, host, sizeof host);
        char scope[12]{};
        if (internet.sin6_scope_id != 0) {
            std::snprintf(scope, sizeof scope, "%%%u", internet.sin6_scope_id);
        }
        std::snprintf(to, room, "[%s%s]:%u", host, scope, port);
    } else if (family == AF_UNIX) {
        static constexpr std::string_view scheme = "unix:";
        scheme.copy(to, scheme.size());
        write_unix_name(address, to + scheme.size());
    } else if (address.size == 0) {
        std::snprintf(to, room, "(no address)");
    } else {
        std::snprintf(to, room, "(family %d)", family);
    }
    return out;
}

}  // namespace ringlet
