// BufferPool: few buffers for many sockets. The kernel takes one only when something has come.
//
//   static BufferPool<16, 2048> pool;                     // 16 buffers of 2048 bytes, in .bss
//   ...
//   const auto open = co_await pool.open();               // the kernel may use it, in this scope
//   auto buffer = co_await socket.receive(pool);
//   co_await other.send_all(buffer.bytes());              // ... and home at the scope's end
//
// The way of a receive:
//
//   1 the operation waits in the kernel, without a buffer
//   2 bytes come, a buffer is home -> it is the Buffer that the await gives
//   3 ENOBUFS: none is home        -> the receive joins the line; no task runs for that
//   4 a buffer comes home          -> all in line start anew, in order: the kernel knows who has
//                                     bytes, and the first of them gets the buffer; then 2 or 3
//
// Whoever takes a buffer gives it back: also a completion that meets a cancellation. ReceiveStream
// receives into a pool's buffers many times with one operation.
#pragma once

#include <ringlet/base/build_record.hpp>
#include <ringlet/task/awaiter.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ringlet {

class Buffer;
class BufferRing;
class PooledReceive;

// As long as it lives, the kernel fills the pool's buffers. At its end all buffers must be home and
// no receive under way: end the tasks that use the pool first.
class [[nodiscard]] BufferPoolScope {
public:
    BufferPoolScope(BufferPoolScope&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)) {}
    BufferPoolScope& operator=(BufferPoolScope&&) = delete;
    ~BufferPoolScope();

private:
    friend class BufferRing;
    explicit BufferPoolScope(BufferRing& pool) : pool_(&pool) {}
    BufferRing* pool_;
};

// A buffer pool, whatever its size.
class BufferRing {
public:
    BufferRing(const BufferRing&) = delete;
    BufferRing& operator=(const BufferRing&) = delete;

    bool is_open() const { return state_ && !state_->closing; }
    // Buffers that programs hold; the most of them at any time; receives that wait for one.
    unsigned in_use() const { return state_ ? state_->in_use : 0; }
    unsigned in_use_max() const { return in_use_max_; }
    unsigned waiting() const { return state_ ? state_->waiting : 0; }

protected:
    // What a ReceiveStream notes of a buffer that waits in it.
    struct Received {
        unsigned bytes;
        unsigned short next;
    };

    constexpr BufferRing() = default;
    ~BufferRing() { RINGLET_ASSERT(!state_); }

    Result<BufferPoolScope> open(io_uring_buf_ring* ring, std::byte* storage, unsigned count,
                                 unsigned bytes, Received* received);

private:
    friend class Buffer;
    friend class BufferPoolScope;
    friend class PooledReceive;
    friend class Receiver;

    // Made by open(), so that a pool is all zeros, and in .bss, until then.
    struct State {
        State(io_uring_buf_ring* where, std::byte* first, unsigned how_many, unsigned how_long,
              Received* notes)
            : ring(where), storage(first), received(notes), count(how_many), bytes(how_long) {}

        io_uring_buf_ring* ring;
        std::byte* storage;
        Received* received;
        unsigned count;
        unsigned bytes;
        unsigned in_use = 0;
        unsigned receiving = 0;  // under way, those in line included
        unsigned abandoned = 0;  // of them, those whose stream has died
        unsigned waiting = 0;
        bool has_multishot = false;  // see may_multishot()
        bool closing = false;        // the scope has ended, the last abandoned receive has not
        unsigned short group = 0;
        IntrusiveList<Operation> line;
    };

    void close();
    void unregister();
    void provide(unsigned short id);
    void note_taken();
    void give_back(unsigned short id);
    void begin_receive(Operation& receive);
    void start_or_wait(Operation& receive);
    // True if it has ended with that; false if its last CQE is still to come.
    bool cancel_receive(Operation& receive);
    void note_abandoned() { ++state_->abandoned; }
    void end_receive(bool was_abandoned);
    unsigned short group() const { return state_->group; }
    // From the first time on, the completion queue keeps room for all of its buffers at once.
    bool may_multishot();
    Received& received(unsigned short id) { return state_->received[id]; }
    std::span<std::byte> bytes_of_buffer(unsigned short id) const {
        return {state_->storage + std::size_t{id} * state_->bytes, state_->bytes};
    }

    std::optional<State> state_;
    unsigned in_use_max_ = 0;
};

// What was received, in a buffer of the pool, which gets it back when the Buffer dies. Empty at the
// end of the stream, and when moved from. It must die before the pool's scope.
class [[nodiscard]] Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          bytes_(std::exchange(other.bytes_, {})),
          id_(other.id_) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(bytes_, other.bytes_);
        std::swap(id_, other.id_);
        return *this;
    }
    ~Buffer() {
        if (pool_ != nullptr) pool_->give_back(id_);
    }

    bool empty() const { return bytes_.empty(); }
    std::size_t size() const { return bytes_.size(); }
    std::span<std::byte> bytes() const { return bytes_; }

private:
    friend class PooledReceive;
    friend class Receiver;

    Buffer(BufferRing& pool, unsigned short id, std::size_t size)
        : pool_(&pool), bytes_(pool.bytes_of_buffer(id).first(size)), id_(id) {}

    BufferRing* pool_ = nullptr;
    std::span<std::byte> bytes_;
    unsigned short id_ = 0;
};

// One receive into a buffer of a pool: what TcpSocket::receive(pool) gives.
class [[nodiscard]] PooledReceive {
public:
    using Value = Buffer;
    static constexpr bool is_leaf = true;

    PooledReceive(int descriptor, BufferRing& pool) : pool_(pool), descriptor_(descriptor) {}

    template <bool catches>
    class Awaiter : public Operation {
    public:
        Awaiter(PooledReceive& receive, TaskBlock& waiter)
            : Operation(hooks_, &waiter), receive_(receive) {}

        bool await_ready() { return false; }
        void await_suspend(std::coroutine_handle<>) {
            if (block->cancelled) return block->stop_cancelled();
            block->wait_for(*this);
            receive_.start(*this);
        }
        auto await_resume() {
            return deliver<Buffer, catches>([this] { return receive_.buffer(result()); });
        }

    private:
        static PooledReceive& of(Operation& operation) {
            return static_cast<Awaiter&>(operation).receive_;
        }
        static void request_cancel(Pending& pending) {
            auto& self = static_cast<Awaiter&>(pending);
            self.receive_.cancel(self);
        }
        static void prepare(Operation& operation, io_uring_sqe& sqe) { of(operation).prepare(sqe); }
        static void completed(Operation& operation, std::uint32_t flags) {
            of(operation).completed(operation, flags);
        }

        static constexpr OperationHooks hooks_{
            {.reason = "receive", .catches = catches, .cancel = request_cancel},
            prepare,
            completed};

        PooledReceive& receive_;
    };

private:
    void start(Operation& operation);
    void cancel(Operation& operation);
    void prepare(io_uring_sqe& sqe) const;
    void completed(Operation& operation, std::uint32_t flags);
    void finish(Operation& operation, Outcome outcome, Error error = {});
    Buffer buffer(int result);

    BufferRing& pool_;
    int descriptor_;
    unsigned short id_ = 0;
};

// `count` buffers, a power of two up to 32768, of `bytes` each, inside the object. Make it static:
// the kernel wants it to begin with a page, which no coroutine's frame does.
template <unsigned count, unsigned bytes>
class BufferPool : public BufferRing {
    static_assert(count > 0 && count <= 32768 && (count & (count - 1)) == 0,
                  "the number of buffers is a power of two up to 32768");
    static_assert(bytes > 0, "a buffer holds at least one byte");

public:
    constexpr BufferPool() = default;

    // Hands the buffers to the kernel; they come back at the scope's end. Once at a time.
    //
    // Errors: the kernel's; invalid_argument if its pages are larger than this build's.
    // Source: io_uring_register_buf_ring(3).
    Result<BufferPoolScope> open() {
        record_size();
        void* const begin = storage_;
        return BufferRing::open(static_cast<io_uring_buf_ring*>(begin),
                                storage_ + count * sizeof(io_uring_buf), count, bytes, received_);
    }

private:
#if defined(__aarch64__)
    static constexpr std::size_t page_bytes = 16384;  // the largest in common use
#else
    static constexpr std::size_t page_bytes = 4096;
#endif

    // For tools/budget. Does nothing, but must be called to be there.
    [[gnu::noinline]] static void record_size() {
        static constexpr std::array<std::uint32_t, 3> words{
            count, bytes, static_cast<std::uint32_t>(sizeof(BufferPool))};
        leave_build_record<BuildRecord::buffer_pool, words>();
    }

    alignas(page_bytes) std::byte storage_[count * (sizeof(io_uring_buf) + bytes)]{};
    Received received_[count]{};
};

}  // namespace ringlet
