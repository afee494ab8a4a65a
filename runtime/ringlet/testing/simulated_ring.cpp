// The ring's turn: submit, settle, let time pass, post.
#include <ringlet/testing/simulated_ring.hpp>

#include <ringlet/testing/operation_faults.hpp>

#include <algorithm>
#include <utility>

namespace ringlet::testing {

SimulatedRing::SimulatedRing(World& world, RingSize size)
    : world_(world), operations_(world, buffers_), submissions_(size.submissions),
      completions_(size.completions), requests_(2 * size.completions + size.submissions) {
    RINGLET_ASSERT(size.submissions > 0 && size.completions > 0);
    for (Request& request : requests_)
        free_.push_back(request);
}

SimulatedRing::~SimulatedRing() {
    for (IntrusiveList<Request>* list : {&free_, &parked_, &late_, &ready_}) {
        while (Request* request = list->pop_front()) {
            if (request->object != nullptr) request->object->release();
        }
    }
}

// ---- submitting ----

io_uring_sqe& SimulatedRing::next_sqe() {
    if (submissions_count_ == submissions_.size()) {
        submit(submissions_count_);
        flush();
    }
    io_uring_sqe& sqe = submissions_[submissions_count_++];
    sqe = {};
    return sqe;
}

// The first `count`; the others move up.
void SimulatedRing::submit(unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        start(submissions_[i]);
    std::copy(submissions_.begin() + count, submissions_.begin() + submissions_count_,
              submissions_.begin());
    submissions_count_ -= count;
    settle();
}

Request& SimulatedRing::take_request(const io_uring_sqe& sqe) {
    Request* request = free_.pop_front();
    if (request == nullptr) {
        panic("more operations in flight than a SimulatedRing of this RingSize has room for",
              __FILE__, __LINE__);
    }
    ++in_flight_;
    request->sqe = sqe;
    request->number = ++submitted_;
    request->object = nullptr;
    request->moved = 0;
    request->waited = false;
    request->into = {};
    request->not_before = 0;
    request->ends_by = never;
    request->shots = 0;
    request->last_shot = 0;
    request->flags = 0;
    return *request;
}

void SimulatedRing::start(const io_uring_sqe& sqe) {
    Request& request = take_request(sqe);
    if (const int number = world_.faults().take(sqe.opcode); number != 0) {
        finish(request, -number);
        return;
    }
    if (const int error = operations_.admit(request); error != 0) {
        finish(request, error);
        return;
    }
    if (meet_fault(request)) return;
    if (sqe.opcode == IORING_OP_ASYNC_CANCEL) {
        finish(request, cancel(sqe));
        settle();  // what was cancelled may have held the last reference to something
        return;
    }
    if (sqe.opcode == IORING_OP_CONNECT) {
        request.not_before = later(world_.now(), world_.draw_latency(sqe.opcode));
    }
    parked_.push_back(request);
    // What it changed may let others go on, before the next one starts: first come, first served.
    if (try_once(request) && !lets_bytes_gather()) settle();
}

// The kernel goes on with what waits only when all has been submitted; then a receive finds what
// several sends brought. With short transfers, both happen.
bool SimulatedRing::lets_bytes_gather() {
    const SimulationOptions& options = world_.options();
    if (options.seed == 0 || !options.short_transfers) return false;
    return world_.random().between(0, 1) == 0;
}

// True if the request has ended with it.
bool SimulatedRing::meet_fault(Request& request) {
    PossibleFaults possible;
    find_faults(request, world_, possible);
    const PossibleFault fault = world_.seeded_faults().choose(possible);
    if (fault.kind == FaultKind::none) return false;
    world_.seeded_faults().tell(fault, request.sqe.user_data);
    if (fault.kind == FaultKind::error) {
        finish(request, -fault.number);
        return true;
    }
    StreamSocket& stream = *request.object->as_socket()->as_stream();
    fault.kind == FaultKind::reset ? stream.abort() : stream.cut();
    settle();
    return false;
}

// ---- going on ----

// True if the request ended, or did a part of its work.
bool SimulatedRing::try_once(Request& request) {
    if (request.not_before > world_.now()) return false;
    const std::size_t moved = request.moved;
    const int result = operations_.attempt(request);
    if (result == would_block && request.may_park()) return request.moved != moved;
    if (request.is_multishot() && shoot(request, result)) return true;
    request.unlink();
    finish(request, result);
    return true;
}

// Posts one completion of a multishot receive. False: this one is its last.
bool SimulatedRing::shoot(Request& request, int result) {
    const bool room = completions_count_ + ready_count_ < completions_.size();
    if (result <= 0 || !room || free_.front() == nullptr) return false;
    if (world_.seeded_faults().happens(world_.options().faults.early_ends)) return false;
    Request& shot = *free_.pop_front();
    ++in_flight_;
    shot.sqe = request.sqe;
    shot.sqe.flags &= static_cast<__u8>(~IOSQE_CQE_SKIP_SUCCESS);
    shot.number = request.number;
    shot.object = nullptr;
    shot.last_shot = request.last_shot;
    shot.flags = request.flags | IORING_CQE_F_MORE;
    finish(shot, result);
    request.last_shot = shot.due;
    request.flags = 0;
    request.into = {};
    ++request.shots;
    return true;
}

// Tries what is parked, oldest first, until nothing can go on.
void SimulatedRing::settle() {
    bool changed = true;
    while (changed) {
        changed = false;
        Request* request = parked_.front();
        while (request != nullptr) {
            Request* next = parked_.after(*request);
            changed |= try_once(*request);
            request = next;
        }
    }
}

void SimulatedRing::finish(Request& request, int result) {
    request.result = result;
    const int opcode = request.sqe.opcode;
    const bool at_once = opcode == IORING_OP_NOP || opcode == IORING_OP_TIMEOUT ||
                         opcode == IORING_OP_ASYNC_CANCEL ||
                         opcode == IORING_OP_CONNECT || result == -ECANCELED;
    request.due = later(world_.now(), at_once ? Nanoseconds(0)
                                              : world_.draw_latency(opcode, request.object));
    if (is_held_back(request, result)) request.due = later(request.due, draw_span());
    request.due = std::max(request.due, request.last_shot);
    if (request.due > world_.now())
        late_.push_back(request);
    else
        make_ready(request);
}

void SimulatedRing::make_ready(Request& request) {
    if (request.object != nullptr) std::exchange(request.object, nullptr)->release();
    ready_.push_back(request);
    ++ready_count_;
}

// ---- time ----

void SimulatedRing::enter(Wait how, Nanoseconds timeout) {
    ++entries_;
    settle();  // a test may have changed the world since
    if (submissions_count_ != 0 &&
        world_.seeded_faults().happens(world_.options().faults.submission_failures)) {
        submit(static_cast<unsigned>(world_.random().between(0, submissions_count_ - 1)));
        return flush();
    }
    submit(submissions_count_);
    flush();
    if (how == Wait::no || completions_count_ != 0) return;
    wait(later(world_.now(), std::max(timeout, Nanoseconds(0))));
}

// Until something completes, or the clock shows `limit`.
void SimulatedRing::wait(Instant limit) {
    while (completions_count_ == 0) {
        const Instant next = next_change();
        const bool stalled = std::min(next, limit) > world_.now();
        if (stalled && world_.stall_waiters().wake_first()) return;
        if (next == never && limit == never) {
            world_.report_deadlock();
            return;
        }
        pass_time(std::min(next, limit));
        if (next > limit) return;
    }
}

Instant SimulatedRing::next_change() const {
    Instant next = world_.next_event();
    for (Request* late = late_.front(); late != nullptr; late = late_.after(*late)) {
        next = std::min(next, late->due);
    }
    for (Request* request = parked_.front(); request; request = parked_.after(*request)) {
        next = std::min(next, request->ends_by);
        if (request->not_before > world_.now()) next = std::min(next, request->not_before);
        if (request->sqe.opcode == IORING_OP_TIMEOUT) {
            const Instant suspended = world_.now(Clock::boottime) - world_.now();
            next = std::min(next, request->deadline - suspended);
        }
    }
    return next;
}

void SimulatedRing::pass_time(Instant now) {
    world_.advance_to(now);
    Request* late = late_.front();
    while (late != nullptr) {
        Request* next = late_.after(*late);
        if (late->due <= world_.now()) {
            late->unlink();
            make_ready(*late);
        }
        late = next;
    }
    settle();
    end_what_was_cancelled_late();
    flush();
}

// ---- cancelling ----

bool SimulatedRing::is_target(const Request& request, const io_uring_sqe& sqe,
                              const Object* object) const {
    if ((sqe.cancel_flags & IORING_ASYNC_CANCEL_ANY) != 0) return true;
    if ((sqe.cancel_flags & IORING_ASYNC_CANCEL_FD) != 0) return request.object == object;
    return request.sqe.user_data == sqe.addr;
}

// io_uring_prep_cancel(3): 0, or with ALL or ANY the number that was found.
int SimulatedRing::cancel(const io_uring_sqe& sqe) {
    constexpr unsigned known =
        IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY;
    if ((sqe.cancel_flags & ~known) != 0) return -EINVAL;
    const bool by_descriptor = (sqe.cancel_flags & IORING_ASYNC_CANCEL_FD) != 0;
    const bool any = (sqe.cancel_flags & IORING_ASYNC_CANCEL_ANY) != 0;
    if (by_descriptor && any) return -EINVAL;
    const Object* object = by_descriptor ? world_.descriptors().at(sqe.fd) : nullptr;
    if (by_descriptor && object == nullptr) return -EBADF;

    bool found_late = false;
    const int count = cancel_parked(sqe, object, found_late);
    // What is done but not completed counts as found, too.
    if (any || (sqe.cancel_flags & IORING_ASYNC_CANCEL_ALL) != 0) {
        return count + count_late(sqe, object);
    }
    if (count != 0) return found_late ? -EALREADY : 0;
    return count_late(sqe, object) != 0 ? -EALREADY : -ENOENT;
}

int SimulatedRing::cancel_parked(const io_uring_sqe& sqe, const Object* object, bool& found_late) {
    const bool all = (sqe.cancel_flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY)) != 0;
    int count = 0;
    Request* request = parked_.front();
    while (request != nullptr && (all || count == 0)) {
        Request* next = parked_.after(*request);
        if (is_target(*request, sqe, object)) {
            ++count;
            found_late = comes_too_late(*request);
            if (!found_late) cancel_one(*request, -ECANCELED);
        }
        request = next;
    }
    return count;
}

int SimulatedRing::count_late(const io_uring_sqe& sqe, const Object* object) const {
    int count = 0;
    for (Request* late = late_.front(); late != nullptr; late = late_.after(*late)) {
        count += !late->is_shot() && is_target(*late, sqe, object) ? 1 : 0;
    }
    return count;
}

// "It will complete shortly, either successfully, or interrupted": an operation that a worker of
// the kernel runs. A poll and a timeout never are.
bool SimulatedRing::comes_too_late(Request& request) {
    if (request.ends_by != never) return true;
    const int opcode = request.sqe.opcode;
    if (opcode == IORING_OP_POLL_ADD || opcode == IORING_OP_TIMEOUT) return false;
    if (is_spared(request.object, world_)) return false;
    if (!world_.seeded_faults().happens(world_.options().faults.late_cancels)) return false;
    request.ends_by = later(world_.now(), draw_span());
    return true;
}

void SimulatedRing::end_what_was_cancelled_late() {
    Request* request = parked_.front();
    while (request != nullptr) {
        Request* next = parked_.after(*request);
        const bool starts_late = request->sqe.opcode == IORING_OP_CONNECT;
        if (request->ends_by <= world_.now()) {
            cancel_one(*request, starts_late ? -ECANCELED : -EINTR);
        }
        request = next;
    }
}

// What a MSG_WAITALL moved before it was cancelled is reported, not thrown away.
void SimulatedRing::cancel_one(Request& request, int result) {
    request.unlink();
    finish(request, request.moved > 0 ? static_cast<int>(request.moved) : result);
}

Nanoseconds SimulatedRing::draw_span() {
    const auto most = static_cast<std::uint64_t>(world_.options().cancel_span_max.count());
    return Nanoseconds(world_.random().between(0, most));
}

bool SimulatedRing::is_held_back(const Request& request, int result) {
    if (result < 0 || request.is_shot()) return false;
    switch (request.sqe.opcode) {
        case IORING_OP_NOP:
        case IORING_OP_CLOSE:
        case IORING_OP_POLL_ADD:
        case IORING_OP_ASYNC_CANCEL: return false;
        default: break;
    }
    if (is_spared(request.object, world_)) return false;
    return world_.seeded_faults().happens(world_.options().faults.cancelled_but_done);
}

}  // namespace ringlet::testing
