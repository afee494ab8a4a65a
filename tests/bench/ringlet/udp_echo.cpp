// A UDP server that sends back what it receives.
#include "coroutines.hpp"

using namespace ringlet;

namespace {

// Side by side, so that a turn answers all that has come, with one submission and wait.
constexpr int answerers = 32;

Task<void> answer(UdpSocket& socket) {
    std::array<std::byte, bench::message_bytes> buffer;
    for (;;) {
        const auto message = co_await socket.receive_from(buffer);
        co_await socket.send_to(std::span(buffer).first(message.size), message.address);
    }
}

Task<void> app(const bench::Arguments& arguments) {
    const auto port = static_cast<std::uint16_t>(arguments.number("port", 0));
    auto socket = co_await UdpSocket::bind(loopback_address(port));
    std::puts("listening");
    std::fflush(stdout);
    co_await bench::run_many(answerers, answer, std::ref(socket));
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
