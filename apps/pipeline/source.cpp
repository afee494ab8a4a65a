// Opening and reading sources.
#include <source.hpp>

#include <ringlet/app/say.hpp>
#include <ringlet/app/text_buffer.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/standard_streams.hpp>

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

}  // namespace

ringlet::Task<Source> Source::open(const char* name) {
    const std::string_view text = name;
    if (text == "-") co_return Source(StandardInput());
    if (const auto peer = behind(text, "tcp://")) {
        const auto address = co_await ringlet::parse_address(*peer);
        co_return Source(co_await ringlet::TcpSocket::connect(address));
    }
    if (const auto own = behind(text, "tcp-listen://")) {
        const auto address = co_await ringlet::parse_address(*own);
        co_return Source(co_await accept_one(address));
    }
    co_return Source(co_await ringlet::File::open(name));
}

bool Source::has_address(std::string_view name) {
    auto address = behind(name, "tcp://");
    if (!address) address = behind(name, "tcp-listen://");
    return !address || ringlet::parse_address(*address);
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
    co_return co_await ringlet::standard_input().read(into);
}

}  // namespace pipeline
