// The model: what must hold in every run of every program, whatever its order of events.
//
// Each node's coroutine says when it begins, and its Entered when it ends; each await that matters
// stands between the two halves of an Awaiting; each composite has a Scope, which knows why
// what runs in it may, or must, end. The first thing that does not fit ends the process, with the
// seed and the last events on standard error: what would follow proves nothing.
#pragma once

#include "program.hpp"

#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/sync/event.hpp>
#include <ringlet/sync/mutex.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/sync/semaphore.hpp>
#include <ringlet/testing/random.hpp>
#include <ringlet/testing/world.hpp>

#include <array>
#include <cstdint>

namespace ringlet::simulate {

class Context;

// Ends the process: prints the seed, what is wrong, the last events and the await tree.
[[noreturn]] void found(const char* what, long long detail = 0);

// Why what runs inside may have been cancelled, and from when on nothing may begin in it any more.
struct Scope {
    Scope() = default;
    explicit Scope(const Scope* outer) : parent(outer) {}

    // Nothing that begins now may complete.
    bool is_over(Instant now) const {
        for (const Scope* each = this; each != nullptr; each = each->parent) {
            if (each->cancelled || now > each->deadline) return true;
        }
        return false;
    }
    // A cancellation that comes now has its reason.
    bool may_end(Instant now) const {
        for (const Scope* each = this; each != nullptr; each = each->parent) {
            if (each->cancelled || now >= each->deadline || now >= each->may_end_from) return true;
        }
        return false;
    }

    const Scope* parent = nullptr;  // null: the root, or shielded from what is outside
    Instant deadline = never;
    Instant may_end_from = never;
    bool cancelled = false;
};

// What must hold whenever nothing can run and time is about to pass: nobody waits for what is
// there. Stands in its Context as long as it lives.
class Quiet : public ListLink<> {
public:
    // `check` calls found() if it does not hold.
    Quiet(Context& context, void (*check)(void*), void* of);
    ~Quiet() { unlink(); }
    void look() const { check_(of_); }

private:
    void (*check_)(void*);
    void* of_;
};

// What travels through queues. Numbered in the order in which the puts began.
class Item {
public:
    explicit Item(std::uint32_t number) : number_(number) {}
    Item(Item&& other) noexcept : number_(std::exchange(other.number_, 0)) {}
    Item& operator=(Item&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Item() { number_ = dead; }

    // False if it was moved from.
    bool is_here() const {
        if (number_ == dead) found("an item was used after its end");
        return number_ != 0;
    }
    std::uint32_t number() const { return number_; }

private:
    static constexpr std::uint32_t dead = 0xdead'dead;
    std::uint32_t number_;
};

// The items of one queue: got in the order of the puts, none twice, none lost.
class ItemLedger {
public:
    void got(const Item& item) {
        if (!item.is_here()) found("an empty item was got from a queue");
        if (item.number() <= last_got_) found("an item came twice, or out of order", item.number());
        if (item.number() > numbered_) found("an item came that nobody put", item.number());
        last_got_ = item.number();
        ++got_;
    }
    void dropped() { ++dropped_; }
    // What is left must be all that is missing.
    void check(std::size_t left) const {
        if (putting_ != 0) return;  // some of it may be on its way
        if (put_ != got_ + dropped_ + left) {
            found("items were lost in a queue: more were put than got or left",
                  static_cast<long long>(put_) - static_cast<long long>(got_ + dropped_ + left));
        }
    }

    // Those that wait now.
    unsigned getters = 0;
    unsigned putters = 0;
    template <std::size_t N>
    void check_quiet(const Queue<Item, N>& queue) const {
        if (getters > 0 && queue.size() > 0) found("a getter waits, and an item is there");
        if (putters > 0 && queue.size() < queue.capacity()) found("a putter waits, and has room");
        if (getters + putters > 0 && queue.is_closed()) found("a task waits at a closed queue");
    }

private:
    friend class Putting;

    unsigned putting_ = 0;
    std::uint32_t numbered_ = 0;
    std::uint32_t last_got_ = 0;
    std::uint64_t put_ = 0;
    std::uint64_t got_ = 0;
    std::uint64_t dropped_ = 0;
};

// An item on its way into a queue: put if it was moved from, in whatever way the put ended.
class Putting {
public:
    explicit Putting(ItemLedger& ledger) : item(++ledger.numbered_), ledger_(ledger) {
        ++ledger.putting_;
    }
    ~Putting() {
        --ledger_.putting_;
        if (!item.is_here()) ++ledger_.put_;
    }
    Putting(const Putting&) = delete;

    // Nobody else is putting.
    bool is_alone() const { return ledger_.putting_ == 1; }

    Item item;

private:
    ItemLedger& ledger_;
};

// A mutex or a semaphore of the whole program, and who is where.
struct SharedMutex {
    void check_quiet() const {
        if (waiting > 0 && holders == 0) found("a task waits for a mutex that nobody holds");
    }
    Mutex mutex;
    unsigned holders = 0;
    struct Ticket {
        std::uint32_t number = 0;
        const Scope* scope = nullptr;
    };
    std::array<Ticket, 64> line{};  // of those that wait, in order
    unsigned waiting = 0;
    std::uint32_t tickets = 0;
};
struct SharedSemaphore {
    explicit SharedSemaphore(std::size_t permits) : semaphore(permits) {}
    void check_quiet() const {
        if (waiting > 0 && holders < semaphore.permits()) {
            found("a task waits for a permit, and one is free");
        }
    }
    Semaphore semaphore;
    unsigned holders = 0;
    unsigned waiting = 0;
};

// A task that any node may cancel.
struct Cancellable {
    TaskHandle<void>* handle = nullptr;
    Scope* scope = nullptr;
};

enum class Step : std::uint8_t { begins, ends, fails, unwinds, says };

// One run of a program, as the model sees it.
class Context {
public:
    Context(const Program& program, testing::World& world);
    ~Context();
    Context(const Context&) = delete;

    const Program& program() const { return program_; }
    const Node& node(unsigned index) const { return program_.nodes[index]; }
    testing::World& world() { return world_; }
    Instant now() const { return world_.now(); }

    std::uint64_t draw(unsigned node, std::uint64_t least, std::uint64_t most);

    // For the trace: also what the hash is made of.
    void note(unsigned index, Step step, std::uint64_t detail = 0);
    void note_suspension();
    // Nothing can run, and time is about to pass.
    void check_quiet();
    void stop();
    void print_trace(void (*sink)(std::string_view)) const;

    // Frames or tasks ran out somewhere: not every cancellation has a reason that the model knows.
    bool ran_out() const;
    // An error that a node may end with here.
    bool is_legal(Error error) const;
    bool has_faults() const { return program_.surroundings.faults != 0; }

    void add(Cancellable what);
    void remove(const Scope& scope);
    // Cancels one of them, if there is any.
    void cancel_any(unsigned choice);

    // How long an await may last that needs another task of its own scene: for ever; but with few
    // credits that task may stand in line behind it.
    bool is_patient() const { return patient_; }
    void set_patient(bool patient) { patient_ = patient; }

    std::array<SharedMutex, 3> mutexes;
    std::array<SharedSemaphore, 2> semaphores{SharedSemaphore(1), SharedSemaphore(3)};
    Queue<Item, 3> queue;
    ItemLedger items;
    Event event;
    std::uint64_t event_sets = 0;
    Instant event_set_at = 0;  // the last time
    std::uint32_t names = 0;   // of files and sockets
    std::uint64_t files_taken = 0;
    Scope root;

    std::uint64_t suspensions = 0;
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a's offset basis
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
    // A bit for each kind that ran as a task of its own; and for scenes, for each of two roles.
    std::array<std::uint64_t, 3> task_kinds{};
    bool traces = false;
    bool has_ran_out = false;  // main itself found no frame

private:
    friend class Quiet;

    struct Noted {
        Instant when = 0;
        std::uint64_t detail = 0;
        unsigned node = 0;
        Step step = Step::begins;
    };

    void mix(std::uint64_t value);
    unsigned print(const Noted& noted, char* line, unsigned size) const;

    const Program& program_;
    testing::World& world_;
    std::array<std::uint32_t, nodes_max> draws_{};
    std::array<Noted, 48> last_{};
    std::uint64_t noted_ = 0;
    std::array<Cancellable, 64> cancellable_{};
    unsigned cancellables_ = 0;
    IntrusiveList<Quiet> quiet_;
    bool patient_ = true;
};

// The run that goes on, for found(); null between runs.
inline Context* current = nullptr;

// Where a node's coroutine stands.
struct At {
    Context& context;
    unsigned index;
    Scope& scope;
    bool was_over = false;  // the scope, when the node's await began

    const Node& node() const { return context.node(index); }
    unsigned number(unsigned which) const { return node().numbers[which]; }
    unsigned children() const { return node().children; }
    unsigned child_index(unsigned number) const {
        unsigned at = index + 1;
        for (; number > 0; --number)
            at = context.node(at).end;
        return at;
    }
    At child(unsigned number) const { return {context, child_index(number), scope}; }
    At child(unsigned number, Scope& inner) const { return {context, child_index(number), inner}; }
    At in(Scope& inner) const { return {context, index, inner}; }
    Instant now() const { return context.now(); }
    unsigned draw(unsigned least, unsigned most) const {
        return static_cast<unsigned>(context.draw(index, least, most));
    }
    bool one_in(unsigned chances) const { return draw(1, chances) == 1; }
    // Spans are coarse, so that much happens at the same instant: that is where order matters.
    static std::chrono::microseconds coarse(unsigned us) {
        return std::chrono::microseconds(us / 100 * 100);
    }
    std::chrono::microseconds draw_us(unsigned most) const { return coarse(draw(0, most)); }
    std::chrono::microseconds span(unsigned which) const { return coarse(number(which)); }
    void count_task(unsigned role) const {
        context.task_kinds[role] |= std::uint64_t{1} << static_cast<unsigned>(node().kind);
    }
    void say(std::uint64_t detail) const { context.note(index, Step::says, detail); }
};

// First in each coroutine of a node: it begins here, and ends with it, in whatever way.
class Entered {
public:
    explicit Entered(At at);
    ~Entered();
    Entered(const Entered&) = delete;

private:
    At at_;
};

// Round an await: what begins in a scope that is over must not complete.
class Awaiting {
public:
    explicit Awaiting(At at) : at_(at), was_over_(at.scope.is_over(at.now())) {}
    void completed() const {
        if (was_over_) found("an await that began after a cancellation completed", at_.index);
    }

private:
    At at_;
    bool was_over_;
};

// Counts those that run, for their owner, who must outlive them.
class Running {
public:
    explicit Running(unsigned& count) : count_(count) { ++count_; }
    ~Running() { --count_; }
    Running(const Running&) = delete;

private:
    unsigned& count_;
};

// Is this frame being unwound, and by a cancellation? For destructors.
inline bool unwinds_by_cancellation() {
    return scheduler().running().outcome == Outcome::cancelled;
}

}  // namespace ringlet::simulate
