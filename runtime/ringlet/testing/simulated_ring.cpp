// The ring's turn: submit, settle, let time pass, post.
#include <ringlet/testing/simulated_ring.hpp>

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
        submit();
        flush();
    }
    io_uring_sqe& sqe = submissions_[submissions_count_++];
    sqe = {};
    return sqe;
}

void SimulatedRing::submit() {
    const unsigned count = std::exchange(submissions_count_, 0);
    for (unsigned i = 0; i < count; ++i)
        start(submissions_[i]);
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
    request->into = {};
    request->not_before = 0;
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
    if (try_once(request)) settle();
}

// ---- going on ----

// True if the request ended, or did a part of its work.
bool SimulatedRing::try_once(Request& request) {
    if (request.not_before > world_.now()) return false;
    const std::size_t moved = request.moved;
    const int result = operations_.attempt(request);
    if (result == would_block && request.may_park()) return request.moved != moved;
    request.unlink();
    finish(request, result);
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
    request.due = later(world_.now(), at_once ? Nanoseconds(0) : world_.draw_latency(opcode));
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
    submit();
    flush();
    if (how == Wait::no || completions_count_ != 0) return;
    wait(later(world_.now(), std::max(timeout, Nanoseconds(0))));
}

// Until something completes, or the clock shows `limit`.
void SimulatedRing::wait(Instant limit) {
    while (completions_count_ == 0) {
        const Instant next = next_change();
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
    flush();
}

// ---- cancelling ----

bool SimulatedRing::is_target(const Request& request, const io_uring_sqe& sqe,
                              const Object* object) const {
    if ((sqe.cancel_flags & IORING_ASYNC_CANCEL_ANY) != 0) return true;
    if ((sqe.cancel_flags & IORING_ASYNC_CANCEL_FD) != 0) return request.object == object;
    return request.sqe.user_data == sqe.addr;
}

// io_uring_prep_cancel(3): 0, or with ALL or ANY the number that was cancelled.
int SimulatedRing::cancel(const io_uring_sqe& sqe) {
    constexpr unsigned known =
        IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ANY;
    if ((sqe.cancel_flags & ~known) != 0) return -EINVAL;
    const bool by_descriptor = (sqe.cancel_flags & IORING_ASYNC_CANCEL_FD) != 0;
    const Object* object = by_descriptor ? world_.descriptors().at(sqe.fd) : nullptr;
    if (by_descriptor && object == nullptr) return -EBADF;

    const bool all = (sqe.cancel_flags & (IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY)) != 0;
    int count = 0;
    Request* request = parked_.front();
    while (request != nullptr && (all || count == 0)) {
        Request* next = parked_.after(*request);
        if (is_target(*request, sqe, object)) {
            cancel_one(*request);
            ++count;
        }
        request = next;
    }
    if (all) return count;
    if (count != 0) return 0;
    for (Request* late = late_.front(); late != nullptr; late = late_.after(*late)) {
        if (is_target(*late, sqe, object)) return -EALREADY;
    }
    return -ENOENT;
}

// What a MSG_WAITALL moved before it was cancelled is reported, not thrown away.
void SimulatedRing::cancel_one(Request& request) {
    request.unlink();
    finish(request, request.moved > 0 ? static_cast<int>(request.moved) : -ECANCELED);
}

}  // namespace ringlet::testing
