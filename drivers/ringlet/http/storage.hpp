// Storage: the memory of a client's connections and their buffers.
#pragma once

#include <ringlet/http/connection.hpp>

#include <array>

namespace ringlet::http {

// What a Storage lends to its client.
struct StorageParts {
    const Limits& limits;
    std::span<std::byte> connections;  // room for Limits::connections of them
    std::span<std::byte> buffers;
    bool& lent;
};

// The memory of one client at a time. Make it static, so that its size stands in .bss.
template <Limits limits_>
class Storage {
    static_assert(
        limits_.are_valid(),
        "http::Limits: at least one connection, url_bytes from 64, header_bytes from 128, "
        "buffer_bytes from url_bytes + 256");

public:
    static constexpr Limits limits = limits_;

    constexpr Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

private:
    friend class Client;
    StorageParts parts() { return {limits, connections_, buffers_, lent_}; }

    alignas(
        Connection) std::array<std::byte, limits_.connections * sizeof(Connection)> connections_{};
    std::array<std::byte, limits_.connections * limits_.bytes_per_connection()> buffers_{};
    bool lent_ = false;
};

}  // namespace ringlet::http
