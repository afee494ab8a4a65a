// Messages from one socket to another within one process, for the count of instructions: the kernel
// has each message at once, so it is always asked for the same. One operation is one message.
#include "../ringlet/coroutines.hpp"

#include <cstdio>
#include <unistd.h>

using namespace ringlet;

namespace {

using Message = std::array<std::byte, bench::message_bytes>;
BufferPool<8, bench::message_bytes> pool;

// The receive waits: only then the other task has its turn, and sends.
Task<void> receive_often(UnixSocket& socket, std::int64_t times) {
    Message message;
    for (; times > 0; --times) co_await socket.receive(message);
}

Task<void> receive_pooled_often(UnixSocket& socket, std::int64_t times) {
    for (; times > 0; --times) {
        const auto message = co_await socket.receive(pool);
        bench::keep(message.bytes().size());
    }
}

Task<void> receive_as_told(UnixSocket& socket, std::int64_t times, bool is_pooled) {
    if (is_pooled) return receive_pooled_often(socket, times);
    return receive_often(socket, times);
}

Task<void> send_often(UnixSocket& socket, std::int64_t times) {
    const Message message{};
    for (; times > 0; --times) co_await socket.send(message);
}

Task<void> app(const bench::Arguments& arguments) {
    const bool is_pooled = arguments.number("pooled", 0) != 0;
    char name[64];
    std::snprintf(name, sizeof name, "@ringlet-instructions-%d", ::getpid());
    auto listener = co_await UnixListener::listen(name);
    auto sender = co_await UnixSocket::connect(name);
    auto receiver = co_await listener.accept();
    const auto open = co_await pool.open();
    const auto work = [&](std::int64_t ops) -> Task<void> {
        co_await gather(receive_as_told(receiver, ops, is_pooled), send_often(sender, ops));
    };
    co_await bench::measure("socket", arguments.number("ops", 1'000'000), work);
}

}  // namespace

int main(int count, char** values) {
    return run(app, bench::Arguments(count, values));
}
