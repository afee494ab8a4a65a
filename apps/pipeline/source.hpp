// Where records come from: a file, standard input, or a TCP connection.
#pragma once

#include <ringlet/io/file.hpp>
#include <ringlet/io/tcp.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace pipeline {

class Source {
public:
    // Opens a path, "-", "tcp://HOST:PORT" (connects) or "tcp-listen://HOST:PORT" (waits for one
    // connection). `name` is zero-terminated and outlives the call.
    //
    // Cancellation: nothing is left behind.
    static ringlet::Task<Source> open(const char* name);

    // False for tcp:// and tcp-listen:// with what is no address in numbers.
    static bool has_address(std::string_view name);

    // Reads some bytes; 0 at the end. As File::read and TcpSocket::receive.
    ringlet::Task<std::size_t> read(std::span<std::byte> into);

    // Read so far.
    std::uint64_t bytes() const { return bytes_; }

private:
    struct StandardInput {};
    using Stream = std::variant<StandardInput, ringlet::File, ringlet::TcpSocket>;

    explicit Source(Stream&& stream) : stream_(std::move(stream)) {}

    ringlet::Task<std::size_t> read_some(std::span<std::byte> into);

    Stream stream_;
    std::uint64_t bytes_ = 0;
};

}  // namespace pipeline
