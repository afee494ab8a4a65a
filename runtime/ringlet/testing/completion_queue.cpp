// The way of a SimulatedRing's completions: in which order they are posted, which are not, and how
// they are handed over.
#include <ringlet/testing/simulated_ring.hpp>

namespace ringlet::testing {
namespace {

// What the kernel counts as a failure, so that IOSQE_CQE_SKIP_SUCCESS does not hide it: errors, and
// transfers that are shorter than asked.
bool is_success(const Request& request) {
    if (request.result < 0) return false;
    const int opcode = request.sqe.opcode;
    const bool exact =
        opcode == IORING_OP_READ || opcode == IORING_OP_WRITE || request.waits_for_all();
    return !exact || static_cast<unsigned>(request.result) == request.sqe.len;
}

}  // namespace

// What finds no room stays ready, as in the kernel, until some was reaped.
void SimulatedRing::flush() {
    while (ready_count_ != 0) {
        Request& request = choose_ready();
        const bool silent = (request.sqe.flags & IOSQE_CQE_SKIP_SUCCESS) != 0;
        if (!silent || !is_success(request)) {
            if (completions_count_ == completions_.size()) {
                overflowed_ = true;
                return;
            }
            post(request);
        }
        request.unlink();
        --ready_count_;
        --in_flight_;
        free_.push_back(request);
    }
}

Request& SimulatedRing::choose_ready() {
    Request* chosen = ready_.front();
    if (world_.options().seed != 0) {
        for (auto skip = world_.random().between(0, ready_count_ - 1); skip > 0; --skip) {
            chosen = ready_.after(*chosen);
        }
        // Those of one multishot keep their order.
        Request* first = ready_.front();
        while (first->number != chosen->number)
            first = ready_.after(*first);
        return *first;
    }
    for (Request* request = chosen; request != nullptr; request = ready_.after(*request)) {
        if (request->number < chosen->number) chosen = request;
    }
    return *chosen;
}

void SimulatedRing::post(Request& request) {
    const std::size_t tail = (completions_head_ + completions_count_) % completions_.size();
    completions_[tail] = {request.sqe.user_data, request.result, request.flags};
    ++completions_count_;
    const TraceEntry entry{request.number, world_.now(),   request.sqe.opcode,
                           request.sqe.fd, request.result, request.flags};
    trace_.note(entry);
    world_.trace(entry);
}

std::size_t SimulatedRing::reap(std::span<Completion> out) {
    const std::size_t count = std::min<std::size_t>(out.size(), completions_count_);
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = completions_[completions_head_];
        completions_head_ = static_cast<unsigned>((completions_head_ + 1) % completions_.size());
    }
    completions_count_ -= static_cast<unsigned>(count);
    return count;
}

Result<void> SimulatedRing::register_buffer_ring(io_uring_buf_ring* ring, unsigned entries,
                                                 unsigned short group) {
    const int error = buffers_.add(ring, entries, group);
    if (error != 0) return std::unexpected(Error::kernel(-error));
    return {};
}

Result<void> SimulatedRing::unregister_buffer_ring(unsigned short group) {
    const int error = buffers_.remove(group);
    if (error != 0) return std::unexpected(Error::kernel(-error));
    return {};
}

}  // namespace ringlet::testing
