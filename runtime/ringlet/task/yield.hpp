// yield: lets every other ready task run once.
#pragma once

#include <ringlet/task/awaiter.hpp>

namespace ringlet {

class [[nodiscard]] Yield {
public:
    using Value = void;
    static constexpr bool is_leaf = true;

    template <bool catches>
    class Awaiter : public LeafAwaiter<Awaiter<catches>, void, catches> {
        using Base = LeafAwaiter<Awaiter<catches>, void, catches>;

    public:
        Awaiter(Yield&, TaskBlock& waiter) : Base(hooks, &waiter) {}
        void start() { scheduler().finish(*this->block); }
        void value() {}

    private:
        static constexpr PendingHooks hooks{.reason = "yield",
                                            .catches = catches,
                                            .cancel = [](Pending&) {},
                                            .revoke = [](Pending&) {}};
    };
};

// Goes to the back of the ready list.
//
// Cancellation: unwinds at once; nothing is left behind.
inline Yield yield() {
    return {};
}

}  // namespace ringlet
