// Where records come from: a file, standard input, a TCP connection, or a serial line.
#pragma once

#include <ringlet/io/file.hpp>
#include <ringlet/io/tcp.hpp>
#include <ringlet/uart/uart.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace pipeline {

class Source {
public:
    // Opens a path, "-", "tcp://HOST:PORT" (connects), "tcp-listen://HOST:PORT" (waits for one
    // connection) or "serial:LINE", as uart::parse_address() has it. `name` is zero-terminated and
    // outlives the call.
    //
    // Cancellation: nothing is left behind.
    static ringlet::Task<Source> open(const char* name);

    // Why there can be no such source, in static words; null if there can.
    static const char* why_refused(std::string_view name);

    // Reads some bytes; 0 at the end, also of a line that was hung up. As File::read,
    // TcpSocket::receive and Uart::read.
    ringlet::Task<std::size_t> read(std::span<std::byte> into);

    // Read so far.
    std::uint64_t bytes() const { return bytes_; }

    // What went wrong on a serial line by the last read(); nothing of other sources, and where it
    // is not counted.
    const std::optional<ringlet::uart::Counters>& line_counters() const { return line_counters_; }

private:
    struct StandardInput {};
    using Stream =
        std::variant<StandardInput, ringlet::File, ringlet::TcpSocket, ringlet::uart::Uart>;

    Source() = default;

    ringlet::Task<std::size_t> read_some(std::span<std::byte> into);

    Stream stream_;
    std::uint64_t bytes_ = 0;
    std::optional<ringlet::uart::Counters> line_counters_;
};

}  // namespace pipeline
