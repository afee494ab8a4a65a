// A DNS server that does what a script says, right or wrong, over UDP and TCP; on both rings. It
// allocates nothing.
#pragma once

#include <dns/messages.hpp>

#include <ringlet/dns/resolver.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/io/stream.hpp>
#include <ringlet/io/tcp.hpp>
#include <ringlet/io/udp.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <gtest/gtest.h>

#include <cstdio>

namespace ringlet::support {

enum class Reply : std::uint8_t {
    addresses,             // those of the script that are of the asked kind
    silence,               // nothing
    name_error,            // NXDOMAIN
    server_failure,        // SERVFAIL
    refused,               // REFUSED
    format_error,          // FORMERR
    wrong_id_first,        // a forged answer with another id, then the addresses
    other_question_first,  // a forged answer to another question, then the addresses
    garbage,               // bytes that are no answer, and nothing else
    malformed,             // an answer whose record is cut off
    truncated,             // over UDP nothing but "ask over TCP"; there the addresses
    cut_over_tcp,          // the same, but the connection ends within the answer
    wrong_over_tcp,        // the same, but the answer has another id
    empty_over_tcp,        // the same, but the answer's length is 0
};

struct Scripted {
    std::string_view name;
    Reply reply = Reply::addresses;
    std::array<std::string_view, 4> addresses{};
    std::string_view alias{};    // the name is another one's, which has the addresses
    unsigned many = 0;           // so many addresses 10.0.0.x instead
    std::uint32_t ttl_s = 60;
    Nanoseconds delay_v4{0};
    Nanoseconds delay_v6{0};
};

// Answers "no such name" for what is not in the script.
class FakeServer {
public:
    static constexpr std::string_view forged = "203.0.113.66";

    // The script outlives the server. Port 0 of the address: one that is free for UDP and TCP.
    static Result<FakeServer> open(std::span<const Scripted> script,
                                   SocketAddress address = loopback_address(0)) {
        for (int tries = 0;; ++tries) {
            auto udp = UdpSocket::bind(address);
            if (!udp) return std::unexpected(udp.error());
            const auto bound = udp->local_address();
            if (!bound) return std::unexpected(bound.error());
            auto tcp = TcpListener::listen(*bound);
            if (tcp) return FakeServer(std::move(*udp), std::move(*tcp), *bound, script);
            if (tries == 20) return std::unexpected(tcp.error());
        }
    }

    const SocketAddress& address() const { return address_; }
    unsigned questions() const { return questions_; }
    unsigned tcp_questions() const { return tcp_questions_; }

    // Never ends by itself.
    Task<void> serve() {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn([this]() { return serve_tcp(); });
            for (;;) {
                Question question;
                const auto got = co_await udp_.receive_from(question.bytes);
                question.size = got.size;
                question.from = got.address;
                ++questions_;
                (void)group.spawn([this](Question each) { return reply(each); }, question);
            }
        });
    }

private:
    struct Question {
        std::array<std::byte, 300> bytes;
        std::size_t size = 0;
        SocketAddress from;

        unsigned id() const { return number_at(0); }
        unsigned type() const { return number_at(size - 4); }
        std::span<const std::byte> asked() const {
            return std::span(bytes).first(size).subspan(12);
        }
        unsigned number_at(std::size_t at) const {
            return std::to_integer<unsigned>(bytes[at]) << 8 |
                   std::to_integer<unsigned>(bytes[at + 1]);
        }
        // With a dot behind each part.
        bool is_for(std::string_view name) const {
            std::array<char, 300> text;
            std::size_t length = 0;
            for (std::size_t at = 12; bytes[at] != std::byte{0};) {
                const auto label = std::to_integer<std::size_t>(bytes[at++]);
                std::memcpy(text.data() + length, &bytes[at], label);
                at += label;
                length += label;
                text[length++] = '.';
            }
            return length > 0 && dns::same_name(name, {text.data(), length - 1});
        }
    };

    FakeServer(UdpSocket udp, TcpListener tcp, const SocketAddress& address,
               std::span<const Scripted> script)
        : udp_(std::move(udp)), tcp_(std::move(tcp)), address_(address), script_(script) {}

    // In turn, since a message stays in use until it was sent.
    static MessageWriter& fresh_message() {
        static std::array<MessageWriter, 16> messages;
        static unsigned next = 0;
        MessageWriter& message = messages[next++ % messages.size()];
        message.clear();
        return message;
    }

    Scripted find(const Question& question) const {
        for (const Scripted& each : script_) {
            if (question.is_for(each.name)) return each;
        }
        return {.name = {}, .reply = Reply::name_error};
    }

    static void begin(MessageWriter& out, const Question& question, unsigned flags,
                      unsigned answers) {
        out.header(question.id(), 0x8180 | flags, 1, answers);
        out.put(question.asked());
    }

    static bool is_of_type(std::string_view address, unsigned type) {
        return !address.empty() && address.contains(':') == (type == type_aaaa);
    }

    static MessageWriter& addresses(const Scripted& script, const Question& question) {
        unsigned count = script.many;
        for (const auto each : script.addresses) count += is_of_type(each, question.type());
        if (!script.alias.empty()) ++count;
        MessageWriter& out = fresh_message();
        begin(out, question, 0, count);
        const std::string_view owner = script.alias.empty() ? script.name : script.alias;
        if (!script.alias.empty()) out.alias(script.name, script.alias, script.ttl_s);
        for (const auto each : script.addresses) {
            if (is_of_type(each, question.type())) out.address(owner, each, script.ttl_s);
        }
        for (unsigned i = 0; i < script.many; ++i) {
            std::array<char, 32> text{};
            const char* const format = question.type() == type_aaaa ? "2001:db8::%u" : "10.0.0.%u";
            std::snprintf(text.data(), text.size(), format, i);
            out.address(owner, text.data(), script.ttl_s);
        }
        return out;
    }

    static MessageWriter& code(const Question& question, unsigned flags) {
        MessageWriter& out = fresh_message();
        begin(out, question, flags, 0);
        return out;
    }

    static MessageWriter& forgery(const Question& question, std::string_view name, unsigned id) {
        MessageWriter& out = fresh_message();
        out.header(id, 0x8180, 1, 1);
        out.question(name, question.type());
        out.address(name, question.type() == type_aaaa ? "2001:db8::66" : forged, 60);
        return out;
    }

    static MessageWriter& cut_off(const Question& question) {
        MessageWriter& out = fresh_message();
        begin(out, question, 0, 1);
        out.put16(0xc00c);
        out.put16(question.type());
        return out;
    }

    Task<void> send(const Question& question, MessageWriter& message) {
        co_await udp_.send_to(message.bytes(), question.from);
    }

    Task<void> reply(Question question) {
        const Scripted script = find(question);
        const Nanoseconds delay = question.type() == type_aaaa ? script.delay_v6 : script.delay_v4;
        co_await sleep(delay);
        switch (script.reply) {
            case Reply::silence: break;
            case Reply::addresses: co_await send(question, addresses(script, question)); break;
            case Reply::name_error: co_await send(question, code(question, 3)); break;
            case Reply::server_failure: co_await send(question, code(question, 2)); break;
            case Reply::refused: co_await send(question, code(question, 5)); break;
            case Reply::format_error: co_await send(question, code(question, 1)); break;
            case Reply::wrong_id_first: {
                auto& forged_one = forgery(question, script.name, question.id() ^ 0x100);
                co_await send(question, forged_one);
                co_await send(question, addresses(script, question));
                break;
            }
            case Reply::other_question_first: {
                co_await send(question, forgery(question, "another.example", question.id()));
                co_await send(question, addresses(script, question));
                break;
            }
            case Reply::garbage: {
                MessageWriter& junk = fresh_message();
                co_await send(question, junk);  // an empty datagram
                for (unsigned i = 0; i < 40; ++i) junk.put8(i * 37 & 0xff);
                co_await send(question, junk);
                break;
            }
            case Reply::malformed: co_await send(question, cut_off(question)); break;
            case Reply::truncated:
            case Reply::cut_over_tcp:
            case Reply::wrong_over_tcp:
            case Reply::empty_over_tcp: co_await send(question, code(question, 0x200)); break;
        }
    }

    Task<void> serve_tcp() {
        for (;;) {
            auto socket = co_await tcp_.accept();
            const auto served = co_await attempt(serve_connection(socket));
            static_cast<void>(served);  // a client may leave when it likes
        }
    }

    Task<void> serve_connection(TcpSocket& socket) {
        std::array<std::byte, 2> prefix;
        co_await read_exactly(socket, prefix);
        Question question;
        question.size = std::to_integer<std::size_t>(prefix[0]) << 8 |
                        std::to_integer<std::size_t>(prefix[1]);
        EXPECT_LE(question.size, question.bytes.size());
        co_await read_exactly(socket, std::span(question.bytes).first(question.size));
        ++tcp_questions_;
        const Scripted script = find(question);
        MessageWriter& answer = addresses(script, question);
        if (script.reply == Reply::wrong_over_tcp) answer.bytes()[0] ^= std::byte{1};
        std::size_t length = answer.bytes().size();
        if (script.reply == Reply::empty_over_tcp) length = 0;
        prefix[0] = static_cast<std::byte>(length >> 8);
        prefix[1] = static_cast<std::byte>(length);
        co_await socket.send_all(prefix);
        if (script.reply == Reply::cut_over_tcp) length /= 2;
        co_await socket.send_all(answer.bytes().first(length));
    }

    UdpSocket udp_;
    TcpListener tcp_;
    SocketAddress address_;
    std::span<const Scripted> script_;
    unsigned questions_ = 0;
    unsigned tcp_questions_ = 0;
};

// Runs `body` while the servers serve.
template <class Body, class... Servers>
Task<void> while_serving(Body& body, Servers&... servers) {
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        ((void)group.spawn([&servers] { return servers.serve(); }).named("server"), ...);
        co_await body();
        group.cancel_tasks();
    });
}

// No files; these servers.
template <class... Servers>
struct ServedBy {
    explicit ServedBy(const Servers&... servers) : addresses{servers.address()...} {
        options.resolv_conf = nullptr;
        options.hosts = nullptr;
        options.servers = addresses;
    }
    std::array<SocketAddress, sizeof...(Servers)> addresses;
    dns::Options options;
};

// "192.0.2.1 ::1 ", in an order that can be compared; allocates nothing.
struct HostsText {
    char text[640]{};
    std::size_t size = 0;
    std::string_view view() const { return {text, size}; }
};
inline HostsText hosts_text(const dns::Addresses& addresses) {
    HostsText out;
    for (const dns::IpAddress& each : addresses) {
        const AddressText whole = ringlet::text(each.with_port(0));
        std::string_view host = whole.view().substr(0, whole.view().rfind(':'));
        if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
        std::memcpy(out.text + out.size, host.data(), host.size());
        out.size += host.size();
        out.text[out.size++] = ' ';
    }
    return out;
}

}  // namespace ringlet::support
