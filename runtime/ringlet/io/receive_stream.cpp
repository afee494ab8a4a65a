// The multishot receive behind a stream, and the line of buffers that it has brought.
#include <ringlet/io/receive_stream.hpp>

#include <cerrno>

namespace ringlet {

void Receiver::wait(TaskBlock& waiter) {
    RINGLET_ASSERT(waiter_ == nullptr);  // one next() at a time
    RINGLET_ASSERT(pool_.is_open());
    if (!pool_.may_multishot()) {
        const Error full(std::errc::no_buffer_space, RuntimeDetail::multishot_buffers);
        return scheduler().finish(waiter, Outcome::error, full);
    }
    waiter_ = &waiter;
    woken_ = false;
    if (size_ > 0 || end_ != goes_on) return wake();
    if (!armed_) arm();
}

Buffer Receiver::take() {
    waiter_ = nullptr;
    if (size_ == 0) {
        end_ = goes_on;
        return Buffer();
    }
    --size_;
    const unsigned short id = first_;
    const BufferRing::Received& taken = pool_.received(id);
    first_ = taken.next;
    return Buffer(pool_, id, taken.bytes);
}

void Receiver::arm() {
    armed_ = true;
    pool_.begin_receive(*this);
}

void Receiver::prepare(Operation& operation, io_uring_sqe& sqe) {
    auto& self = static_cast<Receiver&>(operation);
    ::io_uring_prep_recv_multishot(&sqe, self.descriptor_, nullptr, 0, 0);
    sqe.flags |= IOSQE_BUFFER_SELECT;
    sqe.buf_group = self.pool_.group();
}

void Receiver::completed(Operation& operation, std::uint32_t flags) {
    auto& self = static_cast<Receiver&>(operation);
    self.took_in(flags);
    if (self.is_idle()) return self.ended();
    if (self.size_ >= receive_ahead_max && !self.cancel_was_requested()) {
        scheduler().operations().cancel(self);
    }
}

void Receiver::took_in(std::uint32_t flags) {
    const bool has_buffer = (flags & IORING_CQE_F_BUFFER) != 0;
    RINGLET_ASSERT(has_buffer || result() <= 0);
    if (!has_buffer) return;
    const auto id = static_cast<unsigned short>(flags >> IORING_CQE_BUFFER_SHIFT);
    pool_.note_taken();
    // An end or a failure may have used up a buffer, too.
    if (result() <= 0 || abandoned_) return pool_.give_back(id);
    append(id);
    wake();
}

// The last CQE has come.
void Receiver::ended() {
    armed_ = false;
    pool_.end_receive(abandoned_);
    if (abandoned_) return PoolBox<Receiver>::destroy(this);
    const bool by_cancel =
        cancel_was_requested() && (result() == -ECANCELED || result() == -EINTR);
    if (result() <= 0 && result() != -ENOBUFS && !by_cancel) {
        end_ = result();
        return wake();
    }
    if (waiter_ != nullptr && !woken_) arm();
}

void Receiver::append(unsigned short id) {
    pool_.received(id).bytes = static_cast<unsigned>(result());
    if (size_++ == 0) first_ = id;
    else pool_.received(last_).next = id;
    last_ = id;
}

// What came before an error is given before it.
void Receiver::wake() {
    if (waiter_ == nullptr || woken_) return;
    if (size_ > 0 || end_ == 0) {
        woken_ = true;
        return scheduler().finish(*waiter_);
    }
    const Error error = Error::kernel(-std::exchange(end_, goes_on));
    scheduler().finish(*std::exchange(waiter_, nullptr), Outcome::error, error);
}

void Receiver::give_all_back() {
    for (; size_ > 0; --size_) {
        const unsigned short id = first_;
        first_ = pool_.received(id).next;
        pool_.give_back(id);
    }
}

void Receiver::abandon() {
    RINGLET_ASSERT(waiter_ == nullptr);
    give_all_back();
    if (armed_) {
        if (!pool_.cancel_receive(*this)) {
            abandoned_ = true;
            return pool_.note_abandoned();
        }
        pool_.end_receive(false);
    }
    PoolBox<Receiver>::destroy(this);
}

}  // namespace ringlet
