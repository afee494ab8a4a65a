// Peers: coroutines that are the other side of a program under test: a server, a device, a person.
//
// They are tasks of the program's own runtime, in the same virtual time, but not the program's:
//
//   1 the peers start, and run until the world stalls: servers listen now
//   2 the main task starts. A signal or a cancellation ends it alone; the peers live on
//   3 the main task has ended: the peers are cancelled, wherever they are
//
// A peer may end before, which changes nothing. A peer that fails is logged with its name, cancels
// the main task, and its error becomes the run's.
#pragma once

#include <ringlet/flow/branch.hpp>
#include <ringlet/testing/virtual_time.hpp>

#include <deque>
#include <functional>
#include <tuple>

namespace ringlet::testing {

class Peer {
public:
    explicit Peer(std::move_only_function<Task<void>()> function)
        : function_(std::move(function)) {}

    // For the await tree and the log; static text.
    Peer& named(const char* name) {
        name_ = name;
        return *this;
    }
    const char* name() const { return name_; }
    Task<void> start() { return function_(); }

private:
    std::move_only_function<Task<void>()> function_;
    const char* name_ = "peer";
};

// The peers of a simulation. They are kept from run to run.
class Peers {
public:
    explicit Peers(unsigned limit) : limit_(limit) {}

    // Panics while a run is under way, and when there are SimulationOptions::peers already.
    template <class F, class... Arguments>
    Peer& add(F&& function, Arguments&&... arguments) {
        using Call = std::decay_t<F>;
        static_assert(std::invocable<Call&, std::unwrap_ref_decay_t<Arguments>&...>,
                      "the peer cannot be called with these arguments: they are copied, and given "
                      "to it anew in each run, so pass std::ref(x) for what it shall share");
        static_assert(
            std::is_same_v<
                std::invoke_result_t<Call&, std::unwrap_ref_decay_t<Arguments>&...>, Task<void>>,
            "a peer is a coroutine that gives a Task<void>");
        expect_room();
        using Kept = std::tuple<std::unwrap_ref_decay_t<Arguments>...>;
        return peers_.emplace_back(
            [callable = Call(std::forward<F>(function)),
             kept = Kept(std::forward<Arguments>(arguments)...)]() mutable {
                return std::apply(
                    [&](auto&... each) { return std::invoke(callable, each...); }, kept);
            });
    }

    bool empty() const { return peers_.empty(); }

    // Runs all until it is cancelled, or one fails.
    Task<void> run();

private:
    void expect_room() const;

    std::deque<Peer> peers_;  // never moves what it holds
    unsigned limit_;
};

// A main task with its peers: `start` is a callable that makes it.
template <class Start>
class [[nodiscard]] AmongPeers {
    template <bool catches>
    class Box;

public:
    using Value = ValueOf<std::invoke_result_t<Start&>>;
    static constexpr bool is_leaf = false;
    template <bool catches>
    using Awaiter = BoxedAwaiter<AmongPeers, Box<catches>, Value, catches>;

    AmongPeers(Start& start, Peers& peers) : start_(start), peers_(peers) {}

private:
    static Task<Value> run_when_stalled(Start& start) {
        RunUntilStalled ready;
        co_await Unplaced<RunUntilStalled>{ready};
        auto task = start();
        co_return co_await Unplaced<Task<Value>>{task};
    }

    Start& start_;
    Peers& peers_;
};

template <class Start>
template <bool catches>
class AmongPeers<Start>::Box : public Pending {
public:
    Box(AmongPeers& among, TaskBlock& parent) : Pending(hooks, &parent), among_(among) {
        main_.name = "main";
        peers_.name = "peers";
    }

    std::optional<Error> start() {
        auto peers = among_.peers_.run();
        auto main = run_when_stalled(among_.start_);
        if (!main_.begin(main, *this)) return main_.error;
        if (peers_.begin(peers, *this)) {
            scheduler().start(peers_);
        } else {
            peers_failed();
        }
        scheduler().start(main_);
        return {};
    }
    Value take() { return main_.cell.take(); }

private:
    void peers_failed() {
        failure_ = peers_.error;
        scheduler().cancel(main_);
    }
    static void cancel(Pending& pending) { scheduler().cancel(static_cast<Box&>(pending).main_); }
    static void ended(Pending& pending, TaskBlock& child) {
        auto& self = static_cast<Box&>(pending);
        if (&child == &self.main_) {
            scheduler().cancel(self.peers_);
        } else if (child.outcome == Outcome::error) {
            self.peers_failed();
        }
        if (self.main_.is_done() && self.peers_.is_done()) self.settle();
    }
    void settle() {
        if (failure_) return scheduler().finish_next(*block, Outcome::error, *failure_);
        scheduler().finish_next(*block, main_.outcome, main_.error);
    }
    static void children(Pending& pending, BlockVisitor visit, void* context) {
        auto& self = static_cast<Box&>(pending);
        if (!self.main_.is_done()) visit(self.main_, context);
        if (!self.peers_.is_done()) visit(self.peers_, context);
    }
    static constexpr PendingHooks hooks{.reason = "main and its peers",
                                        .catches = catches,
                                        .cancel = cancel,
                                        .child_ended = ended,
                                        .children = children};

    AmongPeers& among_;
    Branch<Value> main_;
    Branch<void> peers_;
    std::optional<Error> failure_;
};

// What a Simulation with peers runs as its main task.
template <class Start>
Task<typename AmongPeers<Start>::Value> run_among_peers(Start& start, Peers& peers) {
    scheduler().running().name = "simulation";
    co_return co_await AmongPeers<Start>(start, peers);
}

}  // namespace ringlet::testing
