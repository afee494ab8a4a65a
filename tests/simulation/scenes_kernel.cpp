// Scenes about the kernel that are no streams: datagrams, poll, files; and jobs on workers.
#include "interpret.hpp"

#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/io/address.hpp>
#include <ringlet/io/file.hpp>
#include <ringlet/io/file_system.hpp>
#include <ringlet/io/pipe.hpp>
#include <ringlet/io/poll.hpp>
#include <ringlet/io/udp.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/work/offload.hpp>

#include <cstdio>
#include <cstring>

namespace ringlet::simulate {
namespace {

constexpr auto patience = std::chrono::milliseconds(2);

struct KernelScene {
    explicit KernelScene(At where) : at(where), whole(&where.scope) {
        where.count_task(1);
        where.count_task(2);
    }
    At inside() { return at.in(whole); }

    At at;
    Scope whole;
    Branches branches;
};

bool is_timeout(Error error) {
    return error == Error(std::errc::timed_out, Domain::runtime);
}

// --- datagrams: each is whole, and one that was sent

// Its number, the length it was sent with, and a byte that says both.
struct Message {
    std::uint32_t number;
    std::uint16_t size;
    std::uint16_t check;
};
constexpr std::size_t message_max = 120;

std::uint16_t check_of(const Message& message, unsigned salt) {
    return static_cast<std::uint16_t>(message.number * 7 + message.size * 13u + salt);
}

struct DatagramScene : KernelScene {
    using KernelScene::KernelScene;
    std::uint32_t begun = 0;
    std::uint32_t received = 0;
};

Task<void> send_datagrams(DatagramScene& scene, UdpSocket& socket, const SocketAddress& to) {
    const Running running(scene.branches.running);
    const At at = scene.inside();
    for (unsigned left = 1 + at.number(0) % 12; left > 0; --left) {
        std::array<std::byte, message_max> bytes{};
        Message message{++scene.begun, 0, 0};
        message.size = static_cast<std::uint16_t>(at.draw(sizeof message, message_max));
        message.check = check_of(message, at.node().salt);
        std::memcpy(bytes.data(), &message, sizeof message);
        const auto datagram = std::span<const std::byte>(bytes).first(message.size);
        const auto limit = patience;
        const auto sent = co_await attempt(timeout(limit, socket.send_to(datagram, to)));
        if (!sent) at.say(static_cast<std::uint64_t>(sent.error().code()));
        if (at.one_in(2)) co_await sleep(at.draw_us(300));
    }
}

Task<void> receive_datagrams(DatagramScene& scene, UdpSocket& socket) {
    const Running running(scene.branches.running);
    const At at = scene.inside();
    for (unsigned quiet = 0; quiet < 4;) {
        std::array<std::byte, message_max> bytes;
        const auto limit = patience * 3;
        const auto came = co_await attempt(timeout(limit, socket.receive_from(bytes)));
        if (!came) {
            ++quiet;
            continue;
        }
        Message message{};
        if (came->size < sizeof message) found("a datagram was cut");
        std::memcpy(&message, bytes.data(), sizeof message);
        if (message.number > scene.begun || message.size != came->size ||
            message.check != check_of(message, at.node().salt)) {
            found("a datagram came that was not sent", message.number);
        }
        ++scene.received;
        at.say(message.number);
    }
}

}  // namespace

Task<void> run_datagrams(At at) {
    const Entered entered(at);
    DatagramScene scene(at);
    auto receiver = co_await UdpSocket::bind(loopback_address(0));
    const SocketAddress address = co_await receiver.local_address();
    auto sender = co_await UdpSocket::open(AF_INET);
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto one =
            group.spawn(send_datagrams, std::ref(scene), std::ref(sender), std::ref(address));
        const auto other = group.spawn(receive_datagrams, std::ref(scene), std::ref(receiver));
        if (one.done() || other.done()) scene.whole.cancelled = true;  // no memory
        co_return;
    });
}

// --- poll: a pipe becomes readable when something was written, and not before

namespace {

struct PollScene : KernelScene {
    using KernelScene::KernelScene;
    bool written = false;
};

Task<void> write_late(PollScene& scene, PipeWriter& writer) {
    const Running running(scene.branches.running);
    const At at = scene.inside();
    co_await sleep(at.span(0));
    constexpr std::array one{std::byte{'!'}};
    scene.written = true;
    const auto limit = patience;
    const auto written = co_await attempt(timeout(limit, writer.write(one)));
    if (!written) at.say(static_cast<std::uint64_t>(written.error().code()));
}

Task<void> poll_for_it(PollScene& scene, PipeReader& reader) {
    const Running running(scene.branches.running);
    const At at = scene.inside();
    const int descriptor = reader.descriptor();
    for (unsigned left = 6; left > 0; --left) {
        const auto limit = at.draw_us(600);
        const Awaiting awaiting(at);
        const auto events = co_await attempt(timeout(limit, poll(descriptor, POLLIN)));
        awaiting.completed();
        if (!events) continue;
        if ((*events & POLLIN) != 0 && !scene.written) found("poll() told of nothing");
        if ((*events & POLLIN) == 0) co_return;
        std::array<std::byte, 4> bytes;
        const auto read_limit = patience;
        const auto count = co_await attempt(timeout(read_limit, reader.read(bytes)));
        if (count && *count > 1) found("a byte that was written once was read twice");
        co_return;
    }
}

}  // namespace

Task<void> run_poll(At at) {
    const Entered entered(at);
    PollScene scene(at);
    Pipe pipe = co_await Pipe::open();
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto one = group.spawn(write_late, std::ref(scene), std::ref(pipe.writer));
        const auto other = group.spawn(poll_for_it, std::ref(scene), std::ref(pipe.reader));
        if (one.done() || other.done()) scene.whole.cancelled = true;  // no memory
        co_return;
    });
}

// --- file: what was written is read back

namespace {

constexpr std::size_t file_bytes_max = 1500;

Task<void> write_and_read(At at, const char* path, const char* other_path) {
    auto file =
        co_await File::open(path, OpenMode::read_write | OpenMode::create | OpenMode::truncate);
    const std::size_t size = at.number(0) + 1;
    std::array<std::byte, file_bytes_max> bytes;
    const auto contents = std::span(bytes).first(size);
    for (std::size_t i = 0; i < size; ++i) {
        contents[i] = static_cast<std::byte>((i * 31 + i / 251 + at.node().salt) & 0xff);
    }
    if (at.number(1) % 2 == 0)
        co_await file.write_all(contents);
    else
        co_await file.write_all_at(0, contents);
    if (at.number(1) % 3 == 0) co_await file.sync();
    const char* name = path;
    if (at.number(1) % 5 == 0) {
        co_await rename_file(path, other_path);
        name = other_path;
    }
    std::array<std::byte, file_bytes_max> back;
    const auto whole = co_await read_file(name, back);
    if (whole.size() != size) found("a file has another size than was written", whole.size());
    if (std::memcmp(whole.data(), bytes.data(), size) != 0) found("a file's bytes are wrong");
    co_await file.close();
    co_await remove_file(name);
}

}  // namespace

Task<void> run_file(At at) {
    const Entered entered(at);
    const auto number = ++at.context.names % 6;
    std::array<char, 16> path;
    std::array<char, 16> other;
    // Few names, since what a cancellation leaves behind takes room; one node at a time has one.
    if ((at.context.files_taken >> number & 1) != 0) co_return;
    struct Turn {
        Turn(std::uint64_t& names, unsigned which) : taken(names), bit(std::uint64_t{1} << which) {
            taken |= bit;
        }
        ~Turn() { taken &= ~bit; }
        std::uint64_t& taken;
        std::uint64_t bit;
    } turn(at.context.files_taken, number);
    std::snprintf(path.data(), path.size(), "/a%u", number);
    std::snprintf(other.data(), other.size(), "/b%u", number);
    co_await write_and_read(at, path.data(), other.data());
}

// --- offload: a job runs once, or not at all, and its value comes back

Task<void> run_offload(At at) {
    const Entered entered(at);
    struct Account {
        unsigned runs = 0;
        bool waits = false;
    } account;
    for (unsigned left = 1 + at.number(0) % 3; left > 0; --left) {
        account = {};
        const unsigned what = at.number(1) + left;
        const Awaiting awaiting(at);
        if (at.number(2) % 3 == 0) {
            const auto limit = at.draw_us(2000);
            auto job = [](unsigned value) { return value * 3; };
            const auto value = co_await attempt(timeout(limit, offload(abandonable(job, what))));
            if (value && *value != what * 3) found("an abandonable job gave a wrong value");
            if (!value && !is_timeout(value.error())) co_await fail(value.error());
        } else {
            auto job = [&account, what] {
                ++account.runs;
                return what * 3;
            };
            const auto value = co_await offload(job);
            if (value != what * 3) found("a job gave a wrong value");
            if (account.runs != 1) found("a job did not run once", account.runs);
        }
        awaiting.completed();
    }
}

}  // namespace ringlet::simulate
