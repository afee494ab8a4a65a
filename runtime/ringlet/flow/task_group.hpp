// TaskGroup: tasks with an owner that outlives them.
//
// run() takes a box from the FramePool: the group, and a block for the body. A spawned task is a
// block of its own, which keeps the callable and its arguments, too. It is held by two: the group
// while it runs, and its TaskHandle.
//
//   1 the first failure, of a task or the body, is the group's; it stops the group
//   2 stopping cancels the body and every task; what is spawned from now on never runs
//   3 when the body and all tasks have ended, run() ends
#pragma once

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/base/log.hpp>
#include <ringlet/flow/branch.hpp>
#include <ringlet/task/awaiter.hpp>
#include <ringlet/task/gcc_traps.hpp>

#include <functional>
#include <tuple>

namespace ringlet {

class TaskGroup;

// A task that waits for the end of another.
struct Joiner : Pending, ListLink<> {
    using Pending::Pending;
};

struct SpawnedBlock : PooledBlock {
    IntrusiveList<Joiner> joiners;
    std::uint8_t holders = 2;  // the group, and the handle
    bool taken = false;        // the value went to a joiner

    void drop() {
        if (--holders > 0) return;
        scheduler().release_task();
        free(*this);
    }
};

template <class T>
using SpawnedTask = Branch<T, SpawnedBlock>;

template <class T>
class [[nodiscard]] Join {
public:
    using Value = T;
    static constexpr bool is_leaf = true;
    template <bool catches>
    class Awaiter;

    explicit Join(SpawnedTask<T>* task) : task_(task) {}

private:
    SpawnedTask<T>* task_;
};

// What spawn() gives: a spawned task, seen from outside. Dropping it lets the task run on.
template <class T>
class TaskHandle {
public:
    // A null task stands for one that was never made, for lack of memory.
    explicit TaskHandle(SpawnedTask<T>* task) : task_(task) {}
    TaskHandle(TaskHandle&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
    TaskHandle& operator=(TaskHandle&& other) noexcept {
        std::swap(task_, other.task_);
        return *this;
    }
    ~TaskHandle() {
        if (task_ != nullptr) task_->drop();
    }

    // Asks the task to end; returns at once. Harmless twice, and after the end. Before its first
    // step, nothing of it runs.
    void cancel() {
        if (task_ != nullptr) scheduler().cancel(*task_);
    }

    // Waits for the task's end and gives its value; its error; operation_canceled if it was
    // cancelled; not_enough_memory if it was never made. At once if it has ended. A value is given
    // once; a Task<void> may be joined by many.
    //
    // Cancellation: of the joiner: unwinds at once, and the task runs on.
    Join<T> join() { return Join<T>(task_); }

    bool done() const { return task_ == nullptr || task_->is_done(); }

    // For the await tree; static text.
    TaskHandle& named(const char* name) & {
        if (task_ != nullptr) task_->name = name;
        return *this;
    }
    TaskHandle&& named(const char* name) && { return std::move(named(name)); }

private:
    SpawnedTask<T>* task_;
};

template <class T>
template <bool catches>
class Join<T>::Awaiter : public LeafAwaiter<Awaiter<catches>, T, catches, Joiner> {
    using Base = LeafAwaiter<Awaiter<catches>, T, catches, Joiner>;

public:
    Awaiter(Join& join, TaskBlock& waiter) : Base(hooks, &waiter), task_(join.task_) {}

    bool try_now() {
        return task_ != nullptr && task_->is_done() && task_->outcome == Outcome::value;
    }
    void start() {
        if (task_ == nullptr) {
            scheduler().finish(*this->block, Outcome::error, no_frame_error);
        } else if (task_->is_done()) {
            wake(*this, *task_);
        } else {
            task_->joiners.push_back(*this);
        }
    }
    T value() {
        if constexpr (!std::is_void_v<T>) {
            RINGLET_ASSERT(!task_->taken);  // a value is given once
            task_->taken = true;
            return task_->cell.take();
        }
    }

private:
    static void cancel(Pending& pending) {
        auto& self = static_cast<Awaiter&>(pending);
        self.unlink();
        scheduler().finish(*self.block, Outcome::cancelled);
    }
    static constexpr PendingHooks hooks{
        .reason = "join", .catches = catches, .cancel = cancel, .revoke = [](Pending&) {}};

    SpawnedTask<T>* task_;
};

// Tells a joiner how the task ended.
inline void wake(Joiner& joiner, const SpawnedBlock& task) {
    if (task.outcome == Outcome::value) return scheduler().finish(*joiner.block);
    const bool cancelled = task.outcome == Outcome::cancelled;
    scheduler().finish(*joiner.block, cancelled ? Outcome::error : task.outcome,
                       cancelled ? cancelled_error : task.error);
}

template <class F, class... Arguments>
using SpawnedValue =
    ValueOf<std::invoke_result_t<std::decay_t<F>&, std::unwrap_ref_decay_t<Arguments>...>>;

// A function is used up by its call.
struct UsedUp {
    explicit UsedUp(const auto&) {}
};

// A spawned task together with what it was made from, since a lambda's coroutine uses the lambda.
template <class F, class... Arguments>
struct SpawnedCall : SpawnedTask<SpawnedValue<F, Arguments...>> {
    template <class G, class... Given>
    explicit SpawnedCall(G&& function, Given&&... given)
        : callable(std::forward<G>(function)), arguments(std::forward<Given>(given)...) {}
    auto call([[maybe_unused]] F& function) {
        if constexpr (is_function) return std::apply(function, std::move(arguments));
        else return std::apply(callable, std::move(arguments));
    }

    static constexpr bool is_function = std::is_pointer_v<std::decay_t<F>>;
    [[no_unique_address]] std::conditional_t<is_function, UsedUp, std::decay_t<F>> callable;
    [[no_unique_address]] std::tuple<std::unwrap_ref_decay_t<Arguments>...> arguments;
};

template <class Body>
class GroupRun;

class TaskGroup {
public:
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // `co_await TaskGroup::run([&](TaskGroup& group) -> Task<T> {...})`: runs the body, waits for
    // every task, and gives the body's value, or the first error of the body or a task. Further
    // errors are counted and logged. The body's locals die when the body ends, maybe before the
    // tasks: what tasks share stands outside the group.
    //
    // Cancellation: cancels the body and all tasks, and returns after they have unwound. An error
    // that came before is delivered, and so is the body's value if every task completed all the
    // same; then the next await unwinds.
    template <class Body>
    static GroupRun<Body> run(Body&& body) {
        static_assert(safe_callable_in_co_await<Body&&>, RINGLET_NAME_THE_CALLABLE);
        return GroupRun<Body>(std::forward<Body>(body));
    }

    // Starts `function(arguments...)`, a coroutine, as a task of this group. Both are copied or
    // moved into the task, as std::thread does; std::ref passes a reference to what outlives the
    // group. Without memory, or over Limits::tasks, the task counts as failed.
    template <class F, class... Arguments>
    auto spawn(F&& function, Arguments&&... arguments) {
        assert_spawnable<F, Arguments...>();
        const auto task = make(std::forward<F>(function), std::forward<Arguments>(arguments)...);
        if (!task) note_failure(task.error());
        return TaskHandle<SpawnedValue<F, Arguments...>>(task.value_or(nullptr));
    }

    // The same, but a task that cannot be made is only an error: for shedding load. Nothing of the
    // arguments is used up then, if they were not moved from by their own type's construction.
    template <class F, class... Arguments>
    auto try_spawn(F&& function, Arguments&&... arguments) {
        assert_spawnable<F, Arguments...>();
        using Handle = TaskHandle<SpawnedValue<F, Arguments...>>;
        const auto task = make(std::forward<F>(function), std::forward<Arguments>(arguments)...);
        if (!task) return Result<Handle>(std::unexpect, task.error());
        return Result<Handle>(std::in_place, *task);
    }

    // Cancels every task, but not the body. What is spawned from now on never runs.
    void cancel_tasks();

    // Tasks that have not ended.
    unsigned size() const { return size_; }
    // Errors after the first one.
    unsigned suppressed() const { return suppressed_; }

private:
    template <class Body>
    friend class GroupRun;
    TaskGroup(Pending& owner, TaskBlock& body) : owner_(owner), body_(body) {}

    template <class F, class... Arguments>
    static void assert_spawnable() {
        static_assert((std::is_constructible_v<std::decay_t<Arguments>, Arguments> && ...),
                      "an argument cannot be copied into the task: pass std::ref(x), or "
                      "std::move(x)");
        static_assert(
            std::invocable<std::decay_t<F>&, std::unwrap_ref_decay_t<Arguments>...>,
            "the function cannot be called with these arguments: they are copied into the task, so "
            "pass std::ref(x) for what it takes as a T&");
    }

    template <class F, class... Arguments>
    auto make(F&& function, Arguments&&... arguments);
    void add(SpawnedBlock& task);
    void task_ended(SpawnedBlock& task);
    void note_failure(Error error);
    void stop();
    void log_suppressed() const;
    void visit(BlockVisitor visitor, void* context);

    Pending& owner_;
    TaskBlock& body_;
    TaskBlock* first_ = nullptr;
    TaskBlock* last_ = nullptr;
    unsigned size_ = 0;
    unsigned suppressed_ = 0;
    Error error_{};
    Error last_suppressed_{};
    bool failed_ = false;
    bool stopping_ = false;
    bool cut_ = false;  // a task was cut short by a cancellation of the whole: run() has no value
};

inline void TaskGroup::add(SpawnedBlock& task) {
    task.previous_sibling = last_;
    (last_ == nullptr ? first_ : last_->next_sibling) = &task;
    last_ = &task;
    ++size_;
    scheduler().start(task);
    if (stopping_) scheduler().cancel(task);
}

inline void TaskGroup::task_ended(SpawnedBlock& task) {
    if (task.outcome == Outcome::error) note_failure(task.error);
    if (task.outcome != Outcome::value && owner_.block->cancelled) cut_ = true;
    (task.previous_sibling == nullptr ? first_ : task.previous_sibling->next_sibling) =
        task.next_sibling;
    (task.next_sibling == nullptr ? last_ : task.next_sibling->previous_sibling) =
        task.previous_sibling;
    --size_;
    while (Joiner* joiner = task.joiners.pop_front()) wake(*joiner, task);
    task.drop();
}

// A started task, or why there is none.
template <class F, class... Arguments>
auto TaskGroup::make(F&& function, Arguments&&... arguments) {
    using Made = Result<SpawnedTask<SpawnedValue<F, Arguments...>>*>;
    using Call = SpawnedCall<F, Arguments...>;
    if (!scheduler().reserve_task()) {
        return Made(std::unexpect, std::errc::not_enough_memory, RuntimeDetail::tasks);
    }
    Call* const call = PoolBox<Call>::make_raw(std::forward<F>(function),
                                               std::forward<Arguments>(arguments)...);
    if (call == nullptr) {
        scheduler().release_task();
        return Made(std::unexpect, no_frame_error);
    }
    call->free = [](PooledBlock& block) { PoolBox<Call>::destroy(static_cast<Call*>(&block)); };
    auto task = call->call(function);
    if (!call->begin(task, owner_)) {
        scheduler().release_task();
        call->free(*call);
        return Made(std::unexpect, no_frame_error);
    }
    add(*call);
    return Made(call);
}

template <class Body>
class [[nodiscard]] GroupRun {
    template <bool catches>
    class Box;

public:
    using Value = ValueOf<std::invoke_result_t<Body&, TaskGroup&>>;
    static constexpr bool is_leaf = false;
    template <bool catches>
    using Awaiter = BoxedAwaiter<GroupRun, Box<catches>, Value, catches>;

    explicit GroupRun(Body&& body) : body_(std::forward<Body>(body)) {}

private:
    Body body_;  // a reference, if the body was named
};

template <class Body>
template <bool catches>
class GroupRun<Body>::Box : public Pending {
public:
    Box(GroupRun& run, TaskBlock& parent)
        : Pending(hooks, &parent), run_(run), group_(*this, body_) {}

    std::optional<Error> start() {
        auto task = run_.body_(group_);
        if (body_.begin(task, *this)) {
            scheduler().start_next(body_);
        } else if (group_.size_ == 0) {
            return body_.error;
        } else {
            group_.note_failure(body_.error);  // a body that is no coroutine may have spawned
        }
        return {};
    }
    Value take() { return body_.cell.take(); }

private:
    static void cancel(Pending& pending) { static_cast<Box&>(pending).group_.stop(); }
    static void ended(Pending& pending, TaskBlock& child) {
        auto& self = static_cast<Box&>(pending);
        if (&child != &self.body_) {
            self.group_.task_ended(static_cast<SpawnedBlock&>(child));
        } else if (child.outcome == Outcome::error) {
            self.group_.note_failure(child.error);
        }
        if (self.body_.is_done() && self.group_.size_ == 0) self.settle();
    }
    void settle() {
        group_.log_suppressed();
        if (group_.failed_) return scheduler().finish_next(*block, Outcome::error, group_.error_);
        const bool gave_value = body_.outcome == Outcome::value && !group_.cut_;
        scheduler().finish_next(*block, gave_value ? Outcome::value : Outcome::cancelled);
    }
    static void children(Pending& pending, BlockVisitor visit, void* context) {
        auto& self = static_cast<Box&>(pending);
        if (!self.body_.is_done()) visit(self.body_, context);
        self.group_.visit(visit, context);
    }
    static constexpr PendingHooks hooks{.reason = "task group",
                                        .catches = catches,
                                        .cancel = cancel,
                                        .child_ended = ended,
                                        .children = children};

    GroupRun& run_;
    Branch<Value> body_;
    TaskGroup group_;
};

}  // namespace ringlet
