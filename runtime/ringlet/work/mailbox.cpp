// The mailbox's slots.
#include <ringlet/work/mailbox.hpp>

#include <ringlet/work/waker.hpp>

#include <algorithm>

namespace ringlet {

void Mailbox::open(std::span<std::byte> storage, unsigned post_bytes, Waker& waker) {
    const std::lock_guard locked(mutex_);
    RINGLET_ASSERT(waker_ == nullptr && filled_ == 0 && waker.is_open());
    slots_ = storage.data();
    slot_bytes_ = slot_bytes(post_bytes);
    count_ = static_cast<unsigned>(storage.size() / slot_bytes_);
    head_ = 0;
    high_water_ = 0;
    waker_ = &waker;
}

void Mailbox::close() {
    {
        const std::lock_guard locked(mutex_);
        waker_ = nullptr;
    }
    for (unsigned left = filled_; left > 0; --left) {  // nobody adds to them any more
        Slot* const first = slot_at(head_);
        first->hooks->destroy(bytes_of(first));
        empty_first();
    }
}

void Mailbox::run() {
    for (unsigned left = filled(); left > 0; --left) {
        Slot* const first = slot_at(head_);
        first->hooks->run(bytes_of(first));
        first->hooks->destroy(bytes_of(first));
        empty_first();
    }
}

Result<Mailbox::Slot*> Mailbox::free_slot() {
    if (waker_ == nullptr) {
        return std::unexpected(Error(std::errc::not_connected, RuntimeDetail::not_running));
    }
    if (filled_ == count_) {
        return std::unexpected(Error(std::errc::no_buffer_space, RuntimeDetail::posts));
    }
    return slot_at((head_ + filled_) % count_);
}

void Mailbox::fill(Slot* slot, const Hooks& hooks) {
    slot->hooks = &hooks;
    high_water_ = std::max(high_water_, ++filled_);
    waker_->tell();
}

Mailbox::Slot* Mailbox::slot_at(unsigned index) const {
    return reinterpret_cast<Slot*>(slots_ + index * slot_bytes_);
}

unsigned Mailbox::filled() {
    const std::lock_guard locked(mutex_);
    return filled_;
}

void Mailbox::empty_first() {
    const std::lock_guard locked(mutex_);
    head_ = (head_ + 1) % count_;
    --filled_;
}

}  // namespace ringlet
