// Close: the awaited close of a descriptor, for who wants to know how it ended.
//
//   1 the number leaves its Descriptor: from now on its owner is closed
//   2 CLOSE completes      -> the descriptor is gone, also if the result is an error: close(2)
//   3 cancelled before it  -> it is closed in the background, and the task unwinds
//   4 CLOSE cannot begin   -> the same, and the task gets the error
#pragma once

#include <ringlet/io/descriptor.hpp>
#include <ringlet/task/awaiter.hpp>

#include <cerrno>

namespace ringlet {

class [[nodiscard]] Close {
public:
    using Value = void;
    static constexpr bool is_leaf = true;
    template <bool catches>
    class Awaiter;

    explicit Close(Descriptor& descriptor) : descriptor_(descriptor) {}

private:
    Descriptor& descriptor_;
};

template <bool catches>
class Close::Awaiter : public Operation {
public:
    Awaiter(Close& close, TaskBlock& waiter)
        : Operation(hooks_, &waiter), descriptor_(close.descriptor_) {}

    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<>) {
        if (block->cancelled) return block->stop_cancelled();
        if (!descriptor_.is_open()) {
            block->step = Step::resume;  // closed before: no harm
            return;
        }
        number_ = descriptor_.release();
        block->wait_for(*this);
        scheduler().operations().start(*this);
    }
    auto await_resume() {
        return deliver<void, catches>([] {});
    }

private:
    static void request_cancel(Pending& pending) {
        auto& self = static_cast<Awaiter&>(pending);
        if (scheduler().operations().cancel(self)) self.leave_to_the_closer(Outcome::cancelled);
    }
    // An interrupted CLOSE is prepared once more, but close(2) has given the number up by then, and
    // it may be another's already: so the second time nothing is closed.
    static void prepare(Operation& operation, io_uring_sqe& sqe) {
        auto& self = static_cast<Awaiter&>(operation);
        if (std::exchange(self.submitted_, true)) return ::io_uring_prep_nop(&sqe);
        ::io_uring_prep_close(&sqe, self.number_);
    }
    static void completed(Operation& operation, std::uint32_t) {
        auto& self = static_cast<Awaiter&>(operation);
        // If nobody cancelled it, io_uring could start no worker for it.
        const Outcome outcome = self.cancel_was_requested() ? Outcome::cancelled : Outcome::error;
        if (self.result() == -ECANCELED) return self.leave_to_the_closer(outcome);
        scheduler().release_descriptor();
        if (self.result() >= 0 || self.result() == -EINTR) return scheduler().finish(*self.block);
        scheduler().finish(*self.block, Outcome::error, Error::kernel(-self.result()));
    }
    void leave_to_the_closer(Outcome outcome) {
        scheduler().close_later(number_);
        const bool failed = outcome == Outcome::error;
        scheduler().finish(*block, outcome, failed ? Error::kernel(ECANCELED) : Error());
    }

    static constexpr OperationHooks hooks_{
        {.reason = "close", .catches = catches, .cancel = request_cancel}, prepare, completed};

    Descriptor& descriptor_;
    int number_ = -1;
    bool submitted_ = false;
};

}  // namespace ringlet
