// Opening and reading sources.
#include <source.hpp>

#include <ringlet/app/say.hpp>
#include <ringlet/app/text_buffer.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/standard_streams.hpp>
#include <ringlet/uart/address.hpp>

#include <optional>

namespace pipeline {
namespace {

// What stands behind `scheme` in `name`, if it begins with that.
std::optional<std::string_view> behind(std::string_view name, std::string_view scheme) {
    if (!name.starts_with(scheme)) return std::nullopt;
    return name.substr(scheme.size());
}

ringlet::Task<ringlet::TcpSocket> accept_one(ringlet::SocketAddress address) {
    auto listener = co_await ringlet::TcpListener::listen(address, {.backlog = 1});
    const auto local = co_await listener.local_address();
    ringlet::FixedText<128> words;
    words.format("pipeline: listening on %s\n", ringlet::text(local).c_str());
    co_await ringlet::say(words.view());  // who reads no messages may know the port
    co_return co_await listener.accept();
}

// A byte that came broken is a zero, which no record has: dropped, it could leave a good record
// with another number in it.
ringlet::Task<ringlet::uart::Uart> open_line(std::string_view name) {
    auto address = ringlet::uart::parse_address(name);
    if (!address) co_await ringlet::fail(address.error());
    address->options.bad_bytes = ringlet::uart::BadBytes::zero;
    co_return co_await ringlet::uart::Uart::open(address->path.data(), address->options);
}

}  // namespace

ringlet::Task<Source> Source::open(const char* name) {
    const std::string_view text = name;
    Source source;
    if (text == "-") co_return source;
    if (const auto peer = behind(text, "tcp://")) {
        const auto address = co_await ringlet::parse_address(*peer);
        source.stream_ = co_await ringlet::TcpSocket::connect(address);
    } else if (const auto own = behind(text, "tcp-listen://")) {
        const auto address = co_await ringlet::parse_address(*own);
        source.stream_ = co_await accept_one(address);
    } else if (const auto line = behind(text, "serial:")) {
        source.stream_ = co_await open_line(*line);
    } else {
        source.stream_ = co_await ringlet::File::open(name);
    }
    co_return source;
}

const char* Source::why_refused(std::string_view name) {
    if (const auto line = behind(name, "serial:")) {
        const auto read = ringlet::uart::parse_address(*line);
        return read ? nullptr : ringlet::text(read.error());
    }
    auto address = behind(name, "tcp://");
    if (!address) address = behind(name, "tcp-listen://");
    if (!address || ringlet::parse_address(*address)) return nullptr;
    return "is no address in numbers with a port, such as tcp://127.0.0.1:9000 or tcp://[::1]:9000";
}

ringlet::Task<std::size_t> Source::read(std::span<std::byte> into) {
    const std::size_t count = co_await read_some(into);
    bytes_ += count;
    co_return count;
}

ringlet::Task<std::size_t> Source::read_some(std::span<std::byte> into) {
    if (auto* const file = std::get_if<ringlet::File>(&stream_)) {
        co_return co_await file->read(into);
    }
    if (auto* const socket = std::get_if<ringlet::TcpSocket>(&stream_)) {
        co_return co_await socket->receive(into);
    }
    if (auto* const line = std::get_if<ringlet::uart::Uart>(&stream_)) {
        const std::size_t count = co_await line->read(into);
        // Each time: of a line that was hung up nothing can be asked.
        if (const auto counted = line->counters(); counted) line_counters_ = *counted;
        co_return count;
    }
    co_return co_await ringlet::standard_input().read(into);
}

}  // namespace pipeline
