#include <ringlet/sync/condition.hpp>

namespace ringlet {

void Condition::Waiting::start() {
    Permit& permit = wait.guard_.permit_;
    RINGLET_ASSERT(permit.is_held());  // wait() is for who has locked
    wait.mutex_ = permit.semaphore_;
    wait.condition_.line_.push_back(*this);
    permit.release();
}

void Condition::Waiting::cancel(Pending& pending) {
    auto& self = static_cast<Waiting&>(pending);
    if (self.wait.ends_cancelled_) return;  // on its way already
    self.wait.ends_cancelled_ = true;
    if (self.wait.notified_) return self.pass_on();
    self.unlink();
    self.lock_again();
}

// The guard owns the mutex, and gives it back as the frame that holds it unwinds or goes on.
void Condition::Waiting::revoke(Pending& pending) {
    static_cast<Waiting&>(pending).pass_on();
}

void Condition::Waiting::got_mutex(PermitWaiter& waiter) {
    auto& self = static_cast<Waiting&>(waiter);
    self.wait.guard_.permit_ = Permit(*self.wait.mutex_);
    self.wait.ends_cancelled_ ? self.end_cancelled() : self.wake();
}

// It has left the condition's line.
void Condition::Waiting::notify() {
    wait.notified_ = true;
    ++wait.condition_.notified_;
    lock_again();
}

void Condition::Waiting::pass_on() {
    --wait.condition_.notified_;
    wait.condition_.notify_one();
}

void Condition::notify_one() {
    if (Waiting* first = line_.pop_front()) first->notify();
}

void Condition::notify_all() {
    // Nobody joins meanwhile: notify() runs no task.
    while (Waiting* first = line_.pop_front()) first->notify();
}

std::size_t Condition::waiting() const {
    return line_.count();
}

}  // namespace ringlet
