#include <ringlet/sync/barrier.hpp>

namespace ringlet {

// The last to come does not wait.
bool Barrier::Waiting::try_now() {
    if (barrier.aborted_ || barrier.waiting_ + 1 < barrier.parties_) return false;
    barrier.release_all();
    index = barrier.parties_ - 1;
    return true;
}

void Barrier::Waiting::start() {
    if (barrier.aborted_) return fail(closed_error);
    barrier.line_.push_back(*this);
    if (++barrier.waiting_ == barrier.parties_) barrier.release_all();
}

void Barrier::Waiting::cancel(Pending& pending) {
    auto& self = static_cast<Waiting&>(pending);
    --self.barrier.waiting_;
    leave_line(pending);
}

// Numbers are given only now, since those who have left count no more.
void Barrier::release_all() {
    std::size_t index = 0;
    while (Waiting* first = line_.pop_front()) {
        first->index = index++;
        first->wake();
    }
    waiting_ = 0;
}

void Barrier::abort() {
    aborted_ = true;
    while (Waiting* first = line_.pop_front()) first->fail(closed_error);
    waiting_ = 0;
}

}  // namespace ringlet
