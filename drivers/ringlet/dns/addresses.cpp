// Addresses as bytes, and their order.
#include <ringlet/dns/addresses.hpp>

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace ringlet::dns {

IpAddress::IpAddress(std::span<const std::byte> bytes, std::uint32_t scope)
    : scope_(scope), family_(bytes.size() == 4 ? Family::v4 : Family::v6) {
    RINGLET_ASSERT(bytes.size() == 4 || bytes.size() == 16);
    std::ranges::copy(bytes, bytes_.begin());
}

IpAddress::IpAddress(const SocketAddress& address) {
    const int family = address.storage.ss_family;
    RINGLET_ASSERT(family == AF_INET || family == AF_INET6);
    if (family == AF_INET) {
        sockaddr_in internet;
        std::memcpy(&internet, &address.storage, sizeof internet);
        std::memcpy(bytes_.data(), &internet.sin_addr, sizeof internet.sin_addr);
    } else {
        sockaddr_in6 internet;
        std::memcpy(&internet, &address.storage, sizeof internet);
        std::memcpy(bytes_.data(), &internet.sin6_addr, sizeof internet.sin6_addr);
        scope_ = internet.sin6_scope_id;
        family_ = Family::v6;
    }
}

SocketAddress IpAddress::with_port(std::uint16_t port) const {
    SocketAddress whole;
    if (family_ == Family::v4) {
        sockaddr_in internet{};
        internet.sin_family = AF_INET;
        internet.sin_port = htons(port);
        std::memcpy(&internet.sin_addr, bytes_.data(), sizeof internet.sin_addr);
        std::memcpy(&whole.storage, &internet, sizeof internet);
        whole.size = sizeof internet;
    } else {
        sockaddr_in6 internet{};
        internet.sin6_family = AF_INET6;
        internet.sin6_port = htons(port);
        internet.sin6_scope_id = scope_;
        std::memcpy(&internet.sin6_addr, bytes_.data(), sizeof internet.sin6_addr);
        std::memcpy(&whole.storage, &internet, sizeof internet);
        whole.size = sizeof internet;
    }
    return whole;
}

bool Addresses::add(const IpAddress& address) {
    if (std::find(begin(), end(), address) != end()) return true;
    if (size_ == addresses_.size()) return false;
    addresses_[size_++] = address;
    return true;
}

std::optional<IpAddress> Alternation::next(const Addresses& v6, const Addresses& v4) {
    const bool has_v6 = taken_v6_ < v6.size();
    const bool has_v4 = taken_v4_ < v4.size();
    if (!has_v6 && !has_v4) return std::nullopt;
    const bool take_v4 = has_v4 && (v4_is_next_ || !has_v6);
    v4_is_next_ = !take_v4;
    return take_v4 ? v4[taken_v4_++] : v6[taken_v6_++];
}

Addresses interleaved(const Addresses& v6, const Addresses& v4) {
    Addresses all;
    Alternation order;
    for (auto next = order.next(v6, v4); next; next = order.next(v6, v4)) {
        if (!all.add(*next)) break;
    }
    return all;
}

}  // namespace ringlet::dns
