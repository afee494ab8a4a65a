// shield: work that is finished also when its caller is cancelled.
#pragma once

#include <ringlet/flow/branch.hpp>

namespace ringlet {

template <Awaitable A>
class [[nodiscard]] Shield {
    template <bool catches>
    class Box;

public:
    using Value = ValueOf<A>;
    static constexpr bool is_leaf = false;
    template <bool catches>
    using Awaiter = BoxedAwaiter<Shield, Box<catches>, Value, catches, true>;

    explicit Shield(A&& awaitable) : awaitable_(std::move(awaitable)) {}

private:
    A awaitable_;
};

template <Awaitable A>
template <bool catches>
class Shield<A>::Box : public Pending {
public:
    Box(Shield& shield, TaskBlock& parent) : Pending(hooks, &parent), shield_(shield) {}

    std::optional<Error> start() {
        auto task = as_task(std::move(shield_.awaitable_));
        if (!body_.begin(task, *this)) return body_.error;
        scheduler().start_next(body_);
        return {};
    }
    Value take() { return body_.cell.take(); }

private:
    static void ended(Pending& pending, TaskBlock& body) {
        scheduler().finish_next(*pending.block, body.outcome, body.error);
    }
    static void children(Pending& pending, BlockVisitor visit, void* context) {
        visit(static_cast<Box&>(pending).body_, context);
    }
    static constexpr PendingHooks hooks{.reason = "shield",
                                        .catches = catches,
                                        .cancel = [](Pending&) {},
                                        .child_ended = ended,
                                        .children = children};

    Shield& shield_;
    Branch<Value> body_;
};

// Runs to its end whatever happens to the caller; starts also in a scope that was cancelled.
//
// Cancellation: has no effect until the work has ended; then its outcome is delivered, and the
// caller's next await unwinds.
template <Awaitable A>
Shield<A> shield(A&& awaitable) {
    return Shield<A>(std::move(awaitable));
}

}  // namespace ringlet
