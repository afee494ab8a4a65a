// Socket: what stream sockets and datagram sockets share: names, options, the pending error.
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/ring/system.hpp>
#include <ringlet/testing/message.hpp>
#include <ringlet/testing/object.hpp>

#include <array>
#include <utility>

namespace ringlet::testing {

class CanSocket;
class DatagramSocket;
class StreamSocket;

class Socket : public Object {
public:
    // System calls: a count or 0, or a negative errno.
    virtual int receive(Incoming& in) = 0;
    virtual int send(Outgoing& out) = 0;
    virtual int shutdown(int how) = 0;

    virtual StreamSocket* as_stream() { return nullptr; }
    virtual DatagramSocket* as_datagram() { return nullptr; }
    virtual CanSocket* as_can() { return nullptr; }
    // Whether getpeername(2) has an answer.
    virtual bool has_peer() const = 0;
    virtual bool is_listening() const { return false; }
    // Forgets what was received.
    virtual void drop_received() = 0;

    int read(std::span<std::byte> out, Offset at) override {
        if (const int error = check_place(at); error != 0) return error;
        if (out.empty()) return 0;
        Incoming in{.into = out};
        return receive(in);
    }
    int write(std::span<const std::byte> in, Offset at) override {
        if (const int error = check_place(at); error != 0) return error;
        Outgoing out{.bytes = in};
        return send(out);
    }
    mode_t mode() const override { return S_IFSOCK | 0777; }
    Socket* as_socket() override { return this; }

    int type() const { return type_; }
    int family() const { return family_; }
    bool is_unix() const { return family_ == AF_UNIX; }
    int take_error() { return std::exchange(error_, 0); }  // 0, or -errno; SO_ERROR

    // Options that change nothing here; they can be read back, 0 until set.
    int keep_option(int level, int name, int value);
    int kept_option(int level, int name) const;
    // An accepted socket has its listener's.
    void inherit_options(const Socket& listener);

    SocketAddress local;   // size 0: not bound
    SocketAddress remote;  // size 0: not connected
    int node = -1;         // of the file tree, if bound to a path
    bool bound = false;    // by bind(), not accepted: others find it by its name
    bool reuse_address = false;
    bool reuse_port = false;

protected:
    explicit Socket(int type) : type_(type) {}
    ~Socket() = default;
    // A socket has no places, and READ and WRITE accept none.
    static int check_place(Offset at) {
        if (at == 0 || at == at_position) return 0;
        return at < 0 ? -EINVAL : -ESPIPE;
    }
    void start_anew(int family);

    int error_ = 0;  // reported once, by the next call

private:
    struct Option {
        int level;
        int name;
        int value;
    };

    int type_;  // SOCK_*
    int family_ = 0;
    std::array<Option, 12> options_{};
    unsigned options_count_ = 0;
};

}  // namespace ringlet::testing
