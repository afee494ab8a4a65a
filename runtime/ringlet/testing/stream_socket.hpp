// StreamSocket: a stream socket, TCP's or Unix', and its peer.
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
//
// Descriptors travel with the bytes they were sent with: a receive that reaches these takes the
// descriptors, and ends where these end (unix(7)).
#pragma once

#include <ringlet/testing/byte_queue.hpp>
#include <ringlet/testing/socket.hpp>

#include <cstdint>

namespace ringlet::testing {

class Network;

class StreamSocket final : public Socket, public ListLink<> {
public:
    enum class State : unsigned char { fresh, listening, connected, broken };

    StreamSocket(Network& network, std::size_t capacity)
        : Socket(SOCK_STREAM), network_(network), received_(capacity) {}

    // A slot that was taken from the pool becomes a new socket.
    void open(int family);

    int receive(Incoming& in) override;
    int send(Outgoing& out) override;
    int shutdown(int how) override;
    // The next connection in line, whose reference passes to the caller.
    int accept(StreamSocket*& out);
    // The connection breaks under both ends, as when a host on the way forgets it.
    void abort();
    // The way between the two ends is gone for good, and neither is told (TCP's).
    void cut();

    unsigned ready() const override;
    StreamSocket* as_stream() override { return this; }
    bool has_peer() const override {
        return is_unix() ? was_connected() : state_ == State::connected && !is_over();
    }
    bool is_listening() const override { return state_ == State::listening; }
    // A Unix listener that was shut down still listens, and refuses.
    bool takes_connections() const { return is_listening() && !read_shut_; }
    void drop_received() override;

    State state() const { return state_; }

    // For Network, which knows names and makes connections.
    void listen(unsigned backlog);
    bool is_full() const { return waiting_ > backlog_; }  // the kernel, too, grants one more
    void connect(StreamSocket& peer);
    void enqueue(StreamSocket& embryo);
    // Its name is new, which its peer sees, too.
    void tell_name();

private:
    // Descriptors that came with the bytes from `begin` to `end`, counted since the beginning.
    struct Passed {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        Rights rights{};
    };

    void closed() override;
    void reset();
    void drop_waiting();
    unsigned connection_ready() const;
    bool was_connected() const { return state_ == State::connected || state_ == State::broken; }
    // Both ends of a TCP connection have said that nothing more comes: nothing is left of it but
    // what is still to be read.
    bool is_over() const { return !is_unix() && write_shut_ && peer_ended_; }
    int take(Incoming& in);
    int put(Outgoing& out);
    int swallow(const Outgoing& out);

    Network& network_;
    ByteQueue received_;
    std::uint64_t taken_ = 0;  // bytes, since the beginning
    std::array<Passed, 8> passed_;
    unsigned passed_count_ = 0;
    State state_ = State::fresh;
    StreamSocket* peer_ = nullptr;  // null once it is gone
    bool read_shut_ = false;
    bool write_shut_ = false;
    bool cut_ = false;
    std::size_t swallowed_ = 0;  // sent since, and never acknowledged
    bool peer_ended_ = false;    // after what is in the queue, nothing comes any more
    unsigned backlog_ = 0;
    unsigned waiting_ = 0;
    // Connected and not yet accepted. Each has one reference: this list's.
    IntrusiveList<StreamSocket> line_;
};

}  // namespace ringlet::testing
