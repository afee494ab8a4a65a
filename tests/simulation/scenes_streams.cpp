// Scenes of tasks that meet through streams: pipes, TCP, Unix sockets, with buffers of their own or
// of a pool.
//
// What a stream carries is a pattern that depends on the place alone, so that a byte that is lost,
// doubled or out of order shows at once.
#include "interpret.hpp"

#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/io/buffer_pool.hpp>
#include <ringlet/io/pipe.hpp>
#include <ringlet/io/tcp.hpp>
#include <ringlet/io/unix.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <cstdio>
#include <optional>

namespace ringlet::simulate {
namespace {

constexpr unsigned chunk_max = 512;

std::byte pattern(std::uint64_t at, unsigned salt) {
    return static_cast<std::byte>((at * 31 + at / 251 + salt) & 0xff);
}

void fill(std::span<std::byte> bytes, std::uint64_t from, unsigned salt) {
    for (std::byte& each : bytes)
        each = pattern(from++, salt);
}

// What came of a stream so far, and what went in for sure.
struct Stream {
    void check(std::span<const std::byte> came) {
        for (const std::byte each : came) {
            if (each != pattern(received, salt)) {
                found("a stream's bytes were lost, doubled or out of order",
                      static_cast<long long>(received));
            }
            ++received;
        }
        if (received > begun) found("a stream gave more bytes than were sent");
    }

    unsigned salt = 0;
    std::uint64_t begun = 0;  // its sending has begun
    std::uint64_t sent = 0;   // its sending has ended
    std::uint64_t received = 0;
    bool ended_well = false;  // the sender has sent all and shut the stream down
};

// Awaits with a time limit where the other side may stand in line behind it. Never moves the
// awaitable into a task: a limit on the operation itself loses nothing.
constexpr auto patience = std::chrono::milliseconds(2);

struct StreamScene {
    explicit StreamScene(At where) : at(where), whole(&where.scope) {
        stream.salt = where.node().salt;
        where.count_task(1);
        where.count_task(2);
    }
    At inside() { return at.in(whole); }

    At at;
    Scope whole;
    Branches branches;
    Stream stream;
};

template <class Sink>
auto write_some(Sink& sink, std::span<const std::byte> bytes) {
    if constexpr (requires { sink.write(bytes); })
        return sink.write(bytes);
    else
        return sink.send(bytes);
}
template <class Source>
auto read_some(Source& source, std::span<std::byte> into) {
    if constexpr (requires { source.read(into); })
        return source.read(into);
    else
        return source.receive(into);
}

// Sends all, or one part of it, by one of several ways.
template <class Sink>
Task<void> send_chunk(StreamScene& scene, Sink& sink, std::size_t size) {
    const At at = scene.inside();
    std::array<std::byte, chunk_max> bytes;
    const auto chunk = std::span(bytes).first(size);
    Stream& stream = scene.stream;
    fill(chunk, stream.sent, stream.salt);
    stream.begun = stream.sent + size;
    const Awaiting awaiting(at);
    if (at.context.is_patient() && at.one_in(2)) {
        if constexpr (requires { sink.write_all(chunk); })
            co_await sink.write_all(chunk);
        else
            co_await sink.send_all(chunk);
        stream.sent += size;
    } else if (at.context.is_patient() && at.one_in(2)) {
        stream.sent += co_await write_some(sink, chunk);
    } else {
        const auto limit = patience;
        const auto count = co_await attempt(timeout(limit, write_some(sink, chunk)));
        if (!count && count.error() != std::errc::timed_out) co_await fail(count.error());
        if (count) stream.sent += *count;
    }
    awaiting.completed();
}

template <class Sink>
Task<void> send_stream(StreamScene& scene, Sink& sink) {
    const At at = scene.inside();
    const unsigned total = at.number(0) * 4;
    unsigned left = 200;
    while (scene.stream.sent < total && left-- > 0) {
        const auto rest = static_cast<unsigned>(total - scene.stream.sent);
        co_await send_chunk(scene, sink, at.draw(1, std::min(chunk_max, rest)));
        if (at.one_in(3)) co_await work(at);
    }
    // What was begun is what was sent, or the end would not tell.
    scene.stream.begun = scene.stream.sent;
    if constexpr (requires { sink.shutdown_send(); })
        co_await sink.shutdown_send();
    else
        co_await sink.close();
    scene.stream.ended_well = true;
}

void check_end(StreamScene& scene) {
    const Stream& stream = scene.stream;
    if (stream.received > stream.begun || stream.received < stream.sent) {
        if (!scene.at.context.has_faults() || stream.ended_well) {
            found("a stream ended too early", static_cast<long long>(stream.received));
        }
    }
}

template <class Source>
Task<void> receive_stream(StreamScene& scene, Source& source) {
    const At at = scene.inside();
    std::array<std::byte, chunk_max> bytes;
    for (unsigned empty = 0; empty < 50;) {
        const auto into = std::span(bytes).first(at.draw(1, chunk_max));
        const Awaiting awaiting(at);
        std::size_t count = 0;
        if (at.context.is_patient() && at.one_in(2)) {
            count = co_await read_some(source, into);
        } else {
            const auto limit = patience;
            const auto came = co_await attempt(timeout(limit, read_some(source, into)));
            if (!came && came.error() != std::errc::timed_out) co_await fail(came.error());
            // Time limits that are met again and again are the other side's: it waits for a credit.
            if (!came) {
                if (!at.context.is_patient()) ++empty;
                continue;
            }
            count = *came;
        }
        awaiting.completed();
        if (count == 0) {
            check_end(scene);
            co_return;
        }
        scene.stream.check(into.first(count));
        if (at.one_in(3)) co_await work(at);
    }
}

// Once each side has failed or ended, it lets go of its end, and so the other ends.
template <class Sink>
Task<void> sending(StreamScene& scene, std::optional<Sink>& sink) {
    const Running running(scene.branches.running);
    struct Leaving {
        ~Leaving() { end.reset(); }
        std::optional<Sink>& end;
    } leaving{sink};
    const auto outcome = co_await attempt(send_stream(scene, *sink));
    if (outcome) co_return;
    if (scene.at.number(2) % 2 == 0) co_return;  // the other side has to find out
    scene.whole.cancelled = true;
    co_await fail(outcome.error());
}

template <class Source>
Task<void> receiving(StreamScene& scene, std::optional<Source>& source) {
    const Running running(scene.branches.running);
    struct Leaving {
        ~Leaving() { end.reset(); }
        std::optional<Source>& end;
    } leaving{source};
    const auto outcome = co_await attempt(receive_stream(scene, *source));
    if (outcome) co_return;
    if (scene.at.number(2) % 2 == 0) co_return;
    scene.whole.cancelled = true;
    co_await fail(outcome.error());
}

template <class Sink, class Source>
Task<void> transmit(StreamScene& scene, std::optional<Sink>& sink, std::optional<Source>& source) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto one = group.spawn(sending<Sink>, std::ref(scene), std::ref(sink));
        const auto other = group.spawn(receiving<Source>, std::ref(scene), std::ref(source));
        if (one.done() || other.done()) scene.whole.cancelled = true;  // no memory
        co_return;
    });
}

}  // namespace

Task<void> run_pipe(At at) {
    const Entered entered(at);
    StreamScene scene(at);
    Pipe pipe = co_await Pipe::open();
    std::optional<PipeWriter> sink(std::move(pipe.writer));
    std::optional<PipeReader> source(std::move(pipe.reader));
    co_await transmit(scene, sink, source);
}

// --- connections

namespace {

template <class Listener, class Socket>
Task<void> accept_one(StreamScene& scene, Listener& listener, std::optional<Socket>& accepted) {
    const Running running(scene.branches.running);
    const auto limit = std::chrono::milliseconds(20);
    auto outcome = co_await attempt(timeout(limit, listener.accept()));
    if (outcome) {
        accepted.emplace(std::move(*outcome));
        co_return;
    }
    scene.whole.cancelled = true;
    co_await fail(outcome.error());
}

template <class Socket>
Task<void> connect_one(StreamScene& scene, const SocketAddress& address,
                       std::optional<Socket>& connected) {
    const Running running(scene.branches.running);
    const auto limit = std::chrono::milliseconds(20);
    auto outcome = co_await attempt(timeout(limit, Socket::connect(address)));
    if (outcome) {
        connected.emplace(std::move(*outcome));
        co_return;
    }
    scene.whole.cancelled = true;
    co_await fail(outcome.error());
}

template <class Listener, class Socket>
Task<void> meet(StreamScene& scene, Listener& listener, const SocketAddress& address,
                std::optional<Socket>& connected, std::optional<Socket>& accepted) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto one = group.spawn(accept_one<Listener, Socket>, std::ref(scene),
                                     std::ref(listener), std::ref(accepted));
        const auto other = group.spawn(connect_one<Socket>, std::ref(scene), std::ref(address),
                                       std::ref(connected));
        if (one.done() || other.done()) scene.whole.cancelled = true;  // no memory
        co_return;
    });
    if (!connected || !accepted) found("a task group ended well without its tasks' work");
}

template <class Listener, class Socket>
Task<void> run_connection(At at, Listener& listener) {
    StreamScene scene(at);
    const SocketAddress address = co_await listener.local_address();
    std::optional<Socket> connected;
    std::optional<Socket> accepted;
    co_await meet(scene, listener, address, connected, accepted);
    co_await transmit(scene, connected, accepted);
}

}  // namespace

Task<void> run_tcp(At at) {
    const Entered entered(at);
    auto listener = co_await TcpListener::listen(loopback_address(0));
    co_await run_connection<TcpListener, TcpSocket>(at, listener);
}

Task<void> run_unix(At at) {
    const Entered entered(at);
    std::array<char, 24> name;
    std::snprintf(name.data(), name.size(), "@%u", ++at.context.names);
    const SocketAddress address = co_await unix_address(name.data());
    auto listener = co_await UnixListener::listen(address);
    co_await run_connection<UnixListener, UnixSocket>(at, listener);
}

// --- pooled: several streams, few buffers

namespace {

constexpr unsigned pool_buffers = 2;
BufferPool<pool_buffers, 256> pool;
bool pool_is_taken = false;

// The pool is the program's one: who has it opens it.
class PoolTurn {
public:
    PoolTurn() { pool_is_taken = true; }
    ~PoolTurn() { pool_is_taken = false; }
    PoolTurn(const PoolTurn&) = delete;
};

Task<void> receive_pooled(StreamScene& scene, UnixSocket& socket) {
    const At at = scene.inside();
    for (unsigned empty = 0; empty < 50;) {
        const auto limit = patience;
        const Awaiting awaiting(at);
        const auto buffer = co_await attempt(timeout(limit, socket.receive(pool)));
        awaiting.completed();
        if (!buffer && buffer.error() != std::errc::timed_out) co_await fail(buffer.error());
        if (!buffer) {
            ++empty;
            continue;
        }
        if (buffer->empty()) {
            check_end(scene);
            co_return;
        }
        scene.stream.check(buffer->bytes());
        if (at.one_in(2)) co_await sleep(at.draw_us(500));
    }
}

Task<void> pooled_stream(At at) {
    StreamScene scene(at);
    std::array<char, 24> name;
    std::snprintf(name.data(), name.size(), "@%u", ++at.context.names);
    const SocketAddress address = co_await unix_address(name.data());
    auto listener = co_await UnixListener::listen(address);
    std::optional<UnixSocket> connected;
    std::optional<UnixSocket> accepted;
    co_await meet(scene, listener, address, connected, accepted);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto sender = group.spawn(sending<UnixSocket>, std::ref(scene), std::ref(connected));
        if (sender.done()) scene.whole.cancelled = true;  // no memory
        const auto outcome = co_await attempt(receive_pooled(scene, *accepted));
        accepted.reset();
        if (outcome) co_return;
        scene.whole.cancelled = true;
        co_await fail(outcome.error());
    });
}

Task<void> pooled_part(At at, Branches& branches) {
    const Running running(branches.running);
    const auto outcome = co_await attempt(pooled_stream(at));
    if (outcome) co_return;
    at.scope.cancelled = true;
    co_await fail(outcome.error());
}

}  // namespace

Task<void> run_pooled(At at) {
    const Entered entered(at);
    if (pool_is_taken) co_return;
    const PoolTurn turn;
    const auto open = co_await pool.open();
    const Quiet quiet(
        at.context,
        [](void*) {
            if (pool.waiting() == 0 || pool.in_use() == pool_buffers) return;
            found("a receive waits for a buffer, and one is home");
        },
        nullptr);
    Branches branches;
    Scope whole(&at.scope);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        for (unsigned left = 3 + at.number(1) % 4; left > 0; --left) {
            const auto part = group.spawn(pooled_part, at.in(whole), std::ref(branches));
            if (part.done()) whole.cancelled = true;  // no memory
        }
        co_return;
    });
}

}  // namespace ringlet::simulate
