// ReceiveStream: receives from a socket again and again, with one operation in the kernel.
//
//   ReceiveStream incoming(socket, pool);
//   for (;;) {
//       const auto message = co_await incoming.next();    // a Buffer; empty: the end
//       if (message.empty()) break;
//       co_await socket.send_all(message.bytes());
//   }
//
// For connections that receive often it is cheaper than socket.receive(pool), which asks the kernel
// anew each time; and a time limit on next() costs the kernel nothing. The price: what comes while
// nobody waits takes buffers of the pool, up to receive_ahead_max for each stream; and one of
// Limits::operations is taken all the time.
//
// The operation lives in the FramePool, in a Receiver, since it may have to outlive the stream:
//
//   1 next() finds nothing      -> the multishot receive is armed, and stays so
//   2 bytes come                -> a buffer joins the line in the Receiver, and who waits is woken
//   3 receive_ahead_max in line -> the receive is cancelled; the next next() that finds nothing: 1
//   4 ENOBUFS: no buffer home   -> who waits joins the pool's line, and goes on with 1
//   5 the stream dies           -> the receive is cancelled; with its last CQE the Receiver goes
#pragma once

#include <ringlet/io/stream_socket.hpp>
#include <ringlet/task/pool_box.hpp>

namespace ringlet {

// Buffers that a stream holds for a task that does not ask.
inline constexpr unsigned receive_ahead_max = 8;

class Receiver : public Operation {
public:
    Receiver(int descriptor, BufferRing& pool)
        : Operation(hooks_, nullptr), pool_(pool), descriptor_(descriptor) {}

    // For who waits; one at a time, or one that was woken would find its bytes gone, as at the end.
    bool has_something() const {
        RINGLET_ASSERT(waiter_ == nullptr);
        return size_ > 0 || end_ == 0;
    }
    void wait(TaskBlock& waiter);
    void stop_waiting() { waiter_ = nullptr; }
    Buffer take();

    // The stream has died.
    void abandon();

private:
    static constexpr std::int32_t goes_on = 1;

    static void prepare(Operation& operation, io_uring_sqe& sqe);
    static void completed(Operation& operation, std::uint32_t flags);
    static constexpr OperationHooks hooks_{
        {.reason = "receive stream", .catches = false, .cancel = nullptr}, prepare, completed};

    void arm();
    void took_in(std::uint32_t flags);
    void ended();
    void append(unsigned short id);
    void wake();
    void give_all_back();

    BufferRing& pool_;
    TaskBlock* waiter_ = nullptr;
    int descriptor_;
    std::int32_t end_ = goes_on;  // how the receive ended: 0, or -errno, to be told once
    unsigned size_ = 0;           // buffers in line
    unsigned short first_ = 0;
    unsigned short last_ = 0;
    bool armed_ = false;      // in the kernel, or in a line for it
    bool woken_ = false;      // the waiter will run
    bool abandoned_ = false;
};

class NextReceived;

class ReceiveStream {
public:
    // The pool is open for as long as the stream lives. The socket outlives it, and receives in no
    // other way, nor after it: what came and was not taken dies with the stream. Takes memory from
    // the FramePool.
    ReceiveStream(const StreamSocket& socket, BufferRing& pool)
        : receiver_(PoolBox<Receiver>::make_raw(socket.descriptor(), pool)) {}
    ReceiveStream(ReceiveStream&& other) noexcept
        : receiver_(std::exchange(other.receiver_, nullptr)) {}
    ReceiveStream& operator=(ReceiveStream&&) = delete;
    ~ReceiveStream() {
        if (receiver_ != nullptr) receiver_->abandon();
    }

    // Gives the next bytes in the order in which they came, at most a buffer full; an empty Buffer
    // at the end. One at a time.
    //
    // Errors: as StreamSocket::receive(); no_buffer_space (RuntimeDetail::multishot_buffers) if the
    // pool has more buffers than Limits::multishot_buffers leaves it; not_enough_memory
    // (RuntimeDetail::frames) if there was no memory for the stream.
    // Cancellation: unwinds at once, and nothing is lost: what comes is for the next next().
    // Source: io_uring_prep_recv_multishot(3).
    NextReceived next();

private:
    Receiver* receiver_;
};

class [[nodiscard]] NextReceived {
public:
    using Value = Buffer;
    static constexpr bool is_leaf = true;

    explicit NextReceived(Receiver* receiver) : receiver_(receiver) {}

    template <bool catches>
    class Awaiter : public LeafAwaiter<Awaiter<catches>, Buffer, catches> {
        using Base = LeafAwaiter<Awaiter<catches>, Buffer, catches>;

    public:
        Awaiter(NextReceived& next, TaskBlock& waiter)
            : Base(hooks, &waiter), receiver_(next.receiver_) {}
        bool try_now() { return receiver_ != nullptr && receiver_->has_something(); }
        void start() {
            if (receiver_ != nullptr) return receiver_->wait(*this->block);
            scheduler().finish(*this->block, Outcome::error, no_frame_error);
        }
        Buffer value() { return receiver_->take(); }

    private:
        static void cancel(Pending& pending) {
            auto& self = static_cast<Awaiter&>(pending);
            self.receiver_->stop_waiting();
            scheduler().finish(*self.block, Outcome::cancelled);
        }
        // What it was woken for is still in the line.
        static void revoke(Pending& pending) {
            static_cast<Awaiter&>(pending).receiver_->stop_waiting();
        }
        static constexpr PendingHooks hooks{
            .reason = "receive", .catches = catches, .cancel = cancel, .revoke = revoke};

        Receiver* receiver_;
    };

private:
    Receiver* receiver_;
};

inline NextReceived ReceiveStream::next() {
    return NextReceived(receiver_);
}

}  // namespace ringlet
