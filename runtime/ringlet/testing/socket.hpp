// Socket: a stream socket, TCP's or Unix', and its peer.
//
//          listen()                connect() of a peer: a new socket, in line for accept()
//   fresh ─────────> listening ──────────────────────────────────────────┐
//     │                                                                  v
//     └─────────────────── connect() ─────────────────────────────> connected
//                                                                        │ reset()
//                                                                        v
//                                                                      broken
//
// Bytes go straight into the peer's queue: there is no send buffer, and nothing is under way. Each
// side's half of the connection is shut on its own. TCP and Unix sockets disagree in what a send
// into a closed peer does, and in some error numbers; each function says so where they do.
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/ring/system.hpp>
#include <ringlet/testing/byte_queue.hpp>
#include <ringlet/testing/object.hpp>

#include <array>
#include <utility>

namespace ringlet::testing {

class Network;

class Socket final : public Object, public ListLink<> {
public:
    enum class State : unsigned char { fresh, listening, connected, broken };

    Socket(Network& network, std::size_t capacity) : network_(network), received_(capacity) {}

    // A slot that was taken from the pool becomes a new socket.
    void open(int family);

    int receive(std::span<std::byte> out);
    int send(std::span<const std::byte> in);
    int shutdown(int how);
    // The next connection in line, whose reference passes to the caller.
    int accept(Socket*& out);
    // The connection breaks under both ends, as when a host on the way forgets it.
    void abort();

    int read(std::span<std::byte> out, Offset) override { return receive(out); }
    int write(std::span<const std::byte> in, Offset) override { return send(in); }
    unsigned ready() const override;
    mode_t mode() const override { return S_IFSOCK | 0777; }
    Socket* as_socket() override { return this; }

    int family() const { return family_; }
    bool is_unix() const;
    State state() const { return state_; }
    int take_error() { return std::exchange(error_, 0); }  // 0, or -errno; SO_ERROR

    // For Network, which knows names and makes connections.
    void listen(unsigned backlog);
    bool is_full() const { return waiting_ > backlog_; }  // the kernel, too, grants one more
    void connect(Socket& peer);
    void enqueue(Socket& embryo);

    // Options that change nothing here; they can be read back, 0 until set.
    int keep_option(int level, int name, int value);
    int kept_option(int level, int name) const;

    SocketAddress local;   // size 0: not bound
    SocketAddress remote;  // size 0: not connected
    int node = -1;         // of the file tree, if bound to a path
    bool reuse_address = false;

private:
    void closed() override;
    void reset();
    void drop_waiting();
    unsigned connection_ready() const;

    struct Option {
        int level;
        int name;
        int value;
    };

    Network& network_;
    ByteQueue received_;
    State state_ = State::fresh;
    int family_ = 0;
    Socket* peer_ = nullptr;  // null once it is gone
    bool read_shut_ = false;
    bool write_shut_ = false;
    bool peer_ended_ = false;  // after what is in the queue, nothing comes any more
    int error_ = 0;            // reported once, by the next call
    unsigned backlog_ = 0;
    unsigned waiting_ = 0;
    std::array<Option, 12> options_{};
    unsigned options_count_ = 0;
    // Connected and not yet accepted. Each has one reference: this list's.
    IntrusiveList<Socket> line_;
};

}  // namespace ringlet::testing
