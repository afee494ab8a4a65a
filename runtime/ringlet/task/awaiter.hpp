// Bases for the awaiters of single awaits: LeafAwaiter (time, sync) and OperationAwaiter (I/O).
#pragma once

#include <ringlet/task/promise.hpp>

namespace ringlet {

// An await of one Pending (or Timer, as Base). `Self` has
//   bool try_now()    takes what it wants at once, if nobody waits before it; changes nothing else.
//                     None: it always waits
//   void start()      joins the line, right in every case, also if it could be served at once
//   Value value()     runs when the block has been woken, or after try_now()
// An error comes through scheduler().finish(block, Outcome::error, error).
template <class Self, class Value, bool catches, class Base = Pending>
class LeafAwaiter : public Base {
public:
    using Base::Base;

    bool await_ready() {
        if constexpr (requires { self().try_now(); }) {
            return scheduler().may_go_on() && self().try_now();
        } else {
            return false;
        }
    }
    void await_suspend(std::coroutine_handle<>) {
        if (this->block->cancelled) return this->block->stop_cancelled();
        this->block->wait_for(*this);
        self().start();
    }
    auto await_resume() {
        return deliver<Value, catches>([this] { return self().value(); });
    }

private:
    Self& self() { return static_cast<Self&>(*this); }
};

// An await of one kernel operation, described by D:
//   D::Value, D::reason                        what it gives; its name in the await tree
//   void prepare(io_uring_sqe&) const          fills the SQE, all but user_data
//   Value value(int result)                    from a result >= 0
//   static constexpr bool opens_descriptor     true if the result is a new descriptor
//   void note_flags(unsigned)                  optional: the CQE's flags, before value()
//   bool goes_on(int result)                   optional: true if a result, also an error, is not
//                                              the end: the SQE is prepared once more. A cancelled
//                                              one that would go on has done nothing.
//
// Cancellation: ASYNC_CANCEL is submitted, and the frame stays until the operation's own last CQE.
// If it had succeeded already, that is the result, and the next await unwinds.
template <class D, bool catches>
class OperationAwaiter : public Operation {
public:
    OperationAwaiter(D& description, TaskBlock& waiter)
        : Operation(hooks_, &waiter), description_(description) {}

    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<>) {
        if (block->cancelled) return block->stop_cancelled();
        if constexpr (D::opens_descriptor) {
            if (!scheduler().reserve_descriptor()) {
                const Error full(std::errc::too_many_files_open, RuntimeDetail::descriptors);
                return block->stop_with(full, catches);
            }
        }
        block->wait_for(*this);
        scheduler().operations().start(*this);
    }
    auto await_resume() {
        return deliver<typename D::Value, catches>([this] { return description_.value(result()); });
    }

private:
    static void request_cancel(Pending& pending) {
        auto& self = static_cast<OperationAwaiter&>(pending);
        if (scheduler().operations().cancel(self)) self.stop(Outcome::cancelled, {});
    }
    static void prepare(Operation& operation, io_uring_sqe& sqe) {
        static_cast<OperationAwaiter&>(operation).description_.prepare(sqe);
    }
    static void completed(Operation& operation, std::uint32_t flags) {
        auto& self = static_cast<OperationAwaiter&>(operation);
        const std::int32_t result = self.result();
        if constexpr (requires { self.description_.goes_on(result); }) {
            if (self.description_.goes_on(result)) {
                if (self.cancel_was_requested()) return self.stop(Outcome::cancelled, {});
                return scheduler().operations().start(self);
            }
        }
        if (result >= 0) {
            if constexpr (requires { self.description_.note_flags(flags); }) {
                self.description_.note_flags(flags);
            }
            return scheduler().finish(*self.block);
        }
        const bool ended_by_cancel = result == -ECANCELED || result == -EINTR;
        const bool cancelled = self.cancel_was_requested() && ended_by_cancel;
        if (cancelled) return self.stop(Outcome::cancelled, {});
        self.stop(Outcome::error, Error::kernel(-result));
    }
    void stop(Outcome outcome, Error error) {
        if constexpr (D::opens_descriptor) scheduler().release_descriptor();
        scheduler().finish(*block, outcome, error);
    }

    static constexpr OperationHooks hooks_{
        {.reason = D::reason, .catches = catches, .cancel = request_cancel}, prepare, completed};

    D& description_;
};

// The base of a description of one kernel operation, which makes it an awaitable.
template <class D, class T>
struct OperationOf {
    using Value = T;
    static constexpr bool is_leaf = true;
    static constexpr bool opens_descriptor = false;
    template <bool catches>
    using Awaiter = OperationAwaiter<D, catches>;
};

}  // namespace ringlet
