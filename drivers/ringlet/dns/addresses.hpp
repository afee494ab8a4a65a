// IpAddress and Addresses: what a lookup gives; and the order in which a connection tries them.
#pragma once

#include <ringlet/dns/limits.hpp>
#include <ringlet/io/address.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace ringlet::dns {

// The kind of address that is wanted.
enum class Family : std::uint8_t { v4, v6, any };

// An address without a port, in a fifth of the room that a SocketAddress takes.
class IpAddress {
public:
    constexpr IpAddress() = default;
    // 4 bytes or 16, in the network's order. scope: the interface's number, for fe80::.
    explicit IpAddress(std::span<const std::byte> bytes, std::uint32_t scope = 0);
    // Of an IPv4 or IPv6 address; its port is left out.
    explicit IpAddress(const SocketAddress& address);

    // v4 or v6.
    Family family() const { return family_; }
    SocketAddress with_port(std::uint16_t port) const;

    friend bool operator==(const IpAddress&, const IpAddress&) = default;

private:
    std::array<std::byte, 16> bytes_{};
    std::uint32_t scope_ = 0;
    Family family_ = Family::v4;
};

// At most addresses_max addresses, each once.
class Addresses {
public:
    // False if it is full. One that is there already is not added again, which is no failure.
    bool add(const IpAddress& address);
    void clear() { size_ = 0; }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    const IpAddress* begin() const { return addresses_.data(); }
    const IpAddress* end() const { return addresses_.data() + size_; }
    const IpAddress& operator[](std::size_t index) const {
        RINGLET_ASSERT(index < size_);
        return addresses_[index];
    }

private:
    std::array<IpAddress, addresses_max> addresses_{};
    std::uint8_t size_ = 0;
};

// Takes from two lists in turn, an IPv6 address first (RFC 8305, 4). The lists may grow meanwhile.
class Alternation {
public:
    // The next address; nothing while there is none.
    std::optional<IpAddress> next(const Addresses& v6, const Addresses& v4);
    bool has_next(const Addresses& v6, const Addresses& v4) const {
        return taken_v6_ < v6.size() || taken_v4_ < v4.size();
    }

private:
    std::uint8_t taken_v6_ = 0;
    std::uint8_t taken_v4_ = 0;
    bool v4_is_next_ = false;
};

// Both lists in the order of Alternation, as many as there is room for.
Addresses interleaved(const Addresses& v6, const Addresses& v4);

}  // namespace ringlet::dns
