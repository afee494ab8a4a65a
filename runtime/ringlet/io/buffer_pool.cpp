// The buffers' way out and home, and the line of those that wait for one.
#include <ringlet/io/buffer_pool.hpp>

#include <algorithm>
#include <cerrno>

namespace ringlet {

namespace {

// Group numbers to try: as many pools may be open on one ring.
constexpr unsigned short groups_max = 64;

}  // namespace

BufferPoolScope::~BufferPoolScope() {
    if (pool_ != nullptr) pool_->close();
}

Result<BufferPoolScope> BufferRing::open(io_uring_buf_ring* ring, std::byte* storage,
                                         unsigned count, unsigned bytes, Received* received) {
    RINGLET_ASSERT(!is_open());
    if (state_) {  // the kernel still has it
        state_->closing = false;
        return BufferPoolScope(*this);
    }
    ::io_uring_buf_ring_init(ring);
    state_.emplace(ring, storage, count, bytes, received);
    for (unsigned short group = 0;; ++group) {
        const auto registered = scheduler().ring().register_buffer_ring(ring, count, group);
        state_->group = group;
        if (registered) break;
        if (registered.error() != std::errc::file_exists || group == groups_max) {
            state_.reset();
            return std::unexpected(registered.error());
        }
    }
    for (unsigned id = 0; id < count; ++id) provide(static_cast<unsigned short>(id));
    return BufferPoolScope(*this);
}

void BufferRing::close() {
    RINGLET_ASSERT(state_->in_use == 0);                     // a Buffer outlives its pool
    RINGLET_ASSERT(state_->receiving == state_->abandoned);  // a receive does
    state_->closing = state_->abandoned > 0;
    if (!state_->closing) unregister();
}

void BufferRing::unregister() {
    if (state_->has_multishot) scheduler().release_multishot(state_->count);
    const auto done = scheduler().ring().unregister_buffer_ring(state_->group);
    RINGLET_ASSERT(done.has_value());
    state_.reset();
}

void BufferRing::provide(unsigned short id) {
    ::io_uring_buf_ring_add(state_->ring, bytes_of_buffer(id).data(), state_->bytes, id,
                            ::io_uring_buf_ring_mask(state_->count), 0);
    ::io_uring_buf_ring_advance(state_->ring, 1);
}

void BufferRing::note_taken() {
    ++state_->in_use;
    RINGLET_ASSERT(state_->in_use <= state_->count);
    in_use_max_ = std::max(in_use_max_, state_->in_use);
}

void BufferRing::give_back(unsigned short id) {
    RINGLET_ASSERT(state_ && state_->in_use > 0);
    provide(id);
    --state_->in_use;
    while (Operation* const first = state_->line.pop_front()) {
        --state_->waiting;
        scheduler().operations().start(*first);
    }
}

bool BufferRing::may_multishot() {
    if (!state_->has_multishot) {
        state_->has_multishot = scheduler().reserve_multishot(state_->count);
    }
    return state_->has_multishot;
}

void BufferRing::begin_receive(Operation& receive) {
    RINGLET_ASSERT(is_open());
    ++state_->receiving;
    start_or_wait(receive);
}

void BufferRing::end_receive(bool was_abandoned) {
    --state_->receiving;
    if (!was_abandoned) return;
    --state_->abandoned;
    if (state_->closing && state_->abandoned == 0) unregister();
}

bool BufferRing::cancel_receive(Operation& receive) {
    if (!receive.is_idle()) return scheduler().operations().cancel(receive);
    receive.unlink();
    --state_->waiting;
    return true;
}

// A buffer may have come home while the ENOBUFS was on its way: then nobody would wake the line.
void BufferRing::start_or_wait(Operation& receive) {
    if (state_->in_use < state_->count) return scheduler().operations().start(receive);
    state_->line.push_back(receive);
    ++state_->waiting;
}

void PooledReceive::start(Operation& operation) {
    pool_.begin_receive(operation);
}

void PooledReceive::cancel(Operation& operation) {
    if (pool_.cancel_receive(operation)) finish(operation, Outcome::cancelled);
}

void PooledReceive::prepare(io_uring_sqe& sqe) const {
    ::io_uring_prep_recv(&sqe, descriptor_, nullptr, 0, 0);  // 0: the buffer's own size
    sqe.flags |= IOSQE_BUFFER_SELECT;
    sqe.buf_group = pool_.group();
}

void PooledReceive::completed(Operation& operation, std::uint32_t flags) {
    const std::int32_t result = operation.result();
    const bool has_buffer = (flags & IORING_CQE_F_BUFFER) != 0;
    RINGLET_ASSERT(has_buffer || result <= 0);
    if (has_buffer) {
        id_ = static_cast<unsigned short>(flags >> IORING_CQE_BUFFER_SHIFT);
        pool_.note_taken();
        // An end or a failure may have used up a buffer, too.
        if (result <= 0) pool_.give_back(id_);
    }
    if (result >= 0) return finish(operation, Outcome::value);
    const bool asked = operation.cancel_was_requested();
    if (result == -ENOBUFS && !asked) return pool_.start_or_wait(operation);
    if (asked && (result == -ECANCELED || result == -EINTR || result == -ENOBUFS)) {
        return finish(operation, Outcome::cancelled);
    }
    finish(operation, Outcome::error, Error::kernel(-result));
}

void PooledReceive::finish(Operation& operation, Outcome outcome, Error error) {
    pool_.end_receive(false);
    scheduler().finish(*operation.block, outcome, error);
}

Buffer PooledReceive::buffer(int result) {
    if (result == 0) return Buffer();
    return Buffer(pool_, id_, static_cast<std::size_t>(result));
}

}  // namespace ringlet
