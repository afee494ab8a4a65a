// DNS messages as a server writes them, byte by byte, in memory of a fixed size.
#pragma once

#include <ringlet/base/panic.hpp>
#include <ringlet/io/address.hpp>

#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace ringlet::support {

inline constexpr unsigned type_a = 1;
inline constexpr unsigned type_cname = 5;
inline constexpr unsigned type_aaaa = 28;

class MessageWriter {
public:
    static constexpr std::size_t capacity = 16384;

    std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_); }
    std::span<std::byte> bytes() { return std::span(bytes_).first(size_); }
    void clear() { size_ = 0; }

    void put8(unsigned value) {
        RINGLET_ASSERT(size_ < capacity);
        bytes_[size_++] = static_cast<std::byte>(value);
    }
    void put16(unsigned value) {
        put8(value >> 8 & 0xff);
        put8(value & 0xff);
    }
    void put32(std::uint32_t value) {
        put16(value >> 16);
        put16(value & 0xffff);
    }
    void put(std::span<const std::byte> bytes) {
        for (const std::byte each : bytes) put8(std::to_integer<unsigned>(each));
    }
    void name(std::string_view text) {
        while (!text.empty()) {
            const std::size_t dot = text.find('.');
            const std::string_view label = text.substr(0, dot);
            put8(static_cast<unsigned>(label.size()));
            put(std::as_bytes(std::span(label)));
            text.remove_prefix(dot == text.npos ? text.size() : dot + 1);
        }
        put8(0);
    }
    // flags: all 16 bits, the code included.
    void header(unsigned id, unsigned flags, unsigned questions, unsigned answers) {
        put16(id);
        put16(flags);
        put16(questions);
        put16(answers);
        put32(0);
    }
    void question(std::string_view text, unsigned type) {
        name(text);
        put16(type);
        put16(1);
    }
    void record(std::string_view owner, unsigned type, std::uint32_t ttl) {
        name(owner);
        put16(type);
        put16(1);
        put32(ttl);
    }
    // "192.0.2.1" or "::1".
    void address(std::string_view owner, std::string_view text, std::uint32_t ttl) {
        const auto parsed = parse_address(text, 0);
        RINGLET_ASSERT(parsed.has_value());
        if (parsed->storage.ss_family == AF_INET) {
            sockaddr_in internet;
            std::memcpy(&internet, &parsed->storage, sizeof internet);
            record(owner, type_a, ttl);
            put16(4);
            put(std::as_bytes(std::span(&internet.sin_addr, 1)));
        } else {
            sockaddr_in6 internet;
            std::memcpy(&internet, &parsed->storage, sizeof internet);
            record(owner, type_aaaa, ttl);
            put16(16);
            put(std::as_bytes(std::span(&internet.sin6_addr, 1)));
        }
    }
    void alias(std::string_view owner, std::string_view to, std::uint32_t ttl) {
        record(owner, type_cname, ttl);
        put16(static_cast<unsigned>(to.size() + 2));
        name(to);
    }

private:
    std::array<std::byte, capacity> bytes_{};
    std::size_t size_ = 0;
};

}  // namespace ringlet::support
