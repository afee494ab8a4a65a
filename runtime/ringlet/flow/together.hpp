// Together: the one mechanism behind gather, gather_results and race.
//
// Each branch is a block in the FramePool. All are started in the order of the arguments; the await
// ends when every branch has ended. The three differ in what the end of one branch does to the
// others, and in what they hand over.
#pragma once

#include <ringlet/base/log.hpp>
#include <ringlet/flow/branch.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

namespace ringlet {

enum class Together : std::uint8_t { all, results, race };

// What is handed over of one branch.
template <Together how, class T>
struct HandedOver {
    using type = Storable<T>;
    static type take(Branch<T, PooledBlock>& branch) {
        if constexpr (std::is_void_v<T>) return {};
        else return branch.cell.take();
    }
};
template <class T>
struct HandedOver<Together::results, T> {
    using type = Result<T>;
    static type take(Branch<T, PooledBlock>& branch) { return branch.result(); }
};
template <class T>
struct HandedOver<Together::race, T> {
    using type = std::optional<Result<T>>;
    static type take(Branch<T, PooledBlock>& branch) {
        if (branch.outcome == Outcome::cancelled) return std::nullopt;
        return branch.result();
    }
};

// The tasks to run, and how their outcomes are put together: as a tuple, an array or a span.
template <class... T>
struct TupleInputs {
    template <Together how>
    using Collected = std::tuple<typename HandedOver<how, T>::type...>;

    explicit TupleInputs(Task<T>&&... each) : tasks(std::move(each)...) {}
    template <class F>
    void for_each(F&& use) {
        std::apply([&](auto&... task) { (use(task), ...); }, tasks);
    }
    template <Together how, class Branches>
    Collected<how> collect(Branches& branches) {
        return Collected<how>{branches.template take_first<how, T>()...};
    }
    std::tuple<Task<T>...> tasks;
};

template <class T, std::size_t N>
struct ArrayInputs {
    template <Together how>
    using Collected = std::array<typename HandedOver<how, T>::type, N>;

    explicit ArrayInputs(std::array<Task<T>, N>&& each) : tasks(std::move(each)) {}
    template <class F>
    void for_each(F&& use) {
        for (auto& task : tasks) use(task);
    }
    template <Together how, class Branches>
    Collected<how> collect(Branches& branches) {
        return [&]<std::size_t... index>(std::index_sequence<index...>) {
            return Collected<how>{
                ((void)index, branches.template take_first<how, T>())...};
        }(std::make_index_sequence<N>());
    }
    std::array<Task<T>, N> tasks;
};

template <Together kind, class T>
struct SpanInputs {
    using Element = typename HandedOver<kind, T>::type;
    template <Together>
    using Collected = std::span<Element>;

    SpanInputs(std::span<Task<T>> each, std::span<Element> places) : tasks(each), out(places) {
        RINGLET_ASSERT(out.size() >= tasks.size());
    }
    template <class F>
    void for_each(F&& use) {
        for (auto& task : tasks) use(task);
    }
    template <Together how, class Branches>
    std::span<Element> collect(Branches& branches) {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            out[i] = branches.template take_first<how, T>();
        }
        return out.first(tasks.size());
    }
    std::span<Task<T>> tasks;
    std::span<Element> out;
};

// What a race gives: which branch ended first, be it with a value or an error, and the outcome of
// every branch that completed. Several can complete in one turn; nothing of it is thrown away.
template <class Outcomes>
struct Raced {
    Raced(std::size_t index, Outcomes&& each) : first(index), outcomes(std::move(each)) {}
    template <std::size_t index>
    auto& outcome() {
        return std::get<index>(outcomes);
    }
    std::size_t first;
    Outcomes outcomes;  // std::optional<Result<T>> each, empty if the branch was cancelled
};

template <class Inputs, Together how>
class [[nodiscard]] RunTogether {
    using Collected = typename Inputs::template Collected<how>;

public:
    using Value = std::conditional_t<how == Together::race, Raced<Collected>, Collected>;
    static constexpr bool is_leaf = false;
    template <bool catches>
    class Awaiter;

    explicit RunTogether(Inputs&& inputs) : inputs_(std::move(inputs)) {}

private:
    Inputs inputs_;
};

template <class Inputs, Together how>
template <bool catches>
class RunTogether<Inputs, how>::Awaiter : public Pending {
public:
    Awaiter(RunTogether& description, TaskBlock& waiter)
        : Pending(hooks_, &waiter), description_(description) {}
    ~Awaiter() {
        RINGLET_ASSERT(running_ == 0);
        while (branches_ != nullptr) free_first();
    }

    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<>) {
        if (block->cancelled) return block->stop_cancelled();
        block->wait_for(*this);
        running_ = 1;  // held until all are started
        TaskBlock** end = &branches_;
        description_.inputs_.for_each([&](auto& task) {
            if (stopped_by_error()) return;  // the task is destroyed where it lies
            end = add(task, end);
        });
        branch_is_over();
    }
    auto await_resume() {
        return deliver<Value, catches>([this]() -> Value {
            if constexpr (how == Together::race) {
                return {first_, description_.inputs_.template collect<how>(*this)};
            } else {
                return description_.inputs_.template collect<how>(*this);
            }
        });
    }

    // For the inputs: the outcomes in the order of the branches.
    template <Together, class T>
    auto take_first() {
        struct Free {
            Awaiter& self;
            ~Free() { self.free_first(); }
        } free{*this};
        return HandedOver<how, T>::take(*static_cast<Branch<T, PooledBlock>*>(branches_));
    }

private:
    static constexpr std::uint32_t nobody = ~0u;

    template <class T>
    TaskBlock** add(Task<T>& task, TaskBlock** end) {
        using Block = Branch<T, PooledBlock>;
        Block* const branch = PoolBox<Block>::make_raw();
        if (branch == nullptr) {
            fail(no_frame_error);
            return end;
        }
        branch->free = [](PooledBlock& each) {
            PoolBox<Block>::destroy(static_cast<Block*>(&each));
        };
        *end = branch;
        if (branch->begin(task, *this)) {
            ++running_;
            scheduler().start(*branch);
            if (settled_) scheduler().cancel(*branch);
        } else {
            branch_ended(*branch);
        }
        return &branch->next_sibling;
    }

    void free_first() {
        auto* const first = static_cast<PooledBlock*>(branches_);
        branches_ = first->next_sibling;
        first->free(*first);
    }

    bool stopped_by_error() const { return error_ != Error(); }

    // No memory for a branch: the whole await fails, once the others have unwound.
    void fail(Error error) {
        error_ = error;
        cancel_all();
    }

    void cancel_all() {
        settled_ = true;
        for (TaskBlock* each = branches_; each != nullptr; each = each->next_sibling) {
            scheduler().cancel(*each);
        }
    }

    void branch_ended(TaskBlock& branch) {
        if constexpr (how == Together::all) {
            if (branch.outcome == Outcome::error) {
                if (settled_) {
                    log::warning("gather: a further branch failed: %s", text(branch.error));
                } else {
                    fail(branch.error);
                }
            }
        } else if constexpr (how == Together::race) {
            if (branch.outcome != Outcome::cancelled && first_ == nobody) {
                first_ = index_of(branch);
                cancel_all();
            }
        }
        // A failed branch of a gather has nothing to hand over either.
        const bool gave_nothing = branch.outcome == Outcome::cancelled ||
                                  (how == Together::all && branch.outcome == Outcome::error);
        if (gave_nothing) some_gave_nothing_ = true;
    }

    std::uint32_t index_of(const TaskBlock& branch) const {
        std::uint32_t index = 0;
        for (const TaskBlock* at = branches_; at != &branch; at = at->next_sibling) ++index;
        return index;
    }

    void branch_is_over() {
        if (--running_ > 0) return;
        if (stopped_by_error()) return scheduler().finish(*block, Outcome::error, error_);
        // What completed in spite of a cancellation is handed over; the next await unwinds.
        const bool nothing_to_give =
            how == Together::race ? first_ == nobody && branches_ != nullptr : some_gave_nothing_;
        scheduler().finish(*block, nothing_to_give ? Outcome::cancelled : Outcome::value);
    }

    static void cancel(Pending& pending) { static_cast<Awaiter&>(pending).cancel_all(); }
    static void ended(Pending& pending, TaskBlock& branch) {
        auto& self = static_cast<Awaiter&>(pending);
        self.branch_ended(branch);
        self.branch_is_over();
    }
    static void children(Pending& pending, BlockVisitor visit, void* context) {
        for (TaskBlock* each = static_cast<Awaiter&>(pending).branches_; each != nullptr;
             each = each->next_sibling) {
            if (!each->is_done()) visit(*each, context);
        }
    }
    static constexpr PendingHooks hooks_{.reason = how == Together::race ? "race" : "gather",
                                         .catches = catches,
                                         .cancel = cancel,
                                         .child_ended = ended,
                                         .children = children};

    RunTogether& description_;
    TaskBlock* branches_ = nullptr;  // in the order of the arguments
    Error error_{};
    std::uint32_t running_ = 0;
    std::uint32_t first_ = nobody;  // race: the branch that ended first
    bool settled_ = false;          // the branches were told to end
    bool some_gave_nothing_ = false;
};

}  // namespace ringlet
