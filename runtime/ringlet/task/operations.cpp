// Operations: submission, cancellation and completion of SQEs.
#include <ringlet/task/operations.hpp>

#include <ringlet/base/log.hpp>

#include <algorithm>
#include <array>
#include <cerrno>

namespace ringlet {
namespace {

// user_data: an operation's address (48 bits, its low two are 0) below its generation. The low
// bits tag what is no operation; a close has its descriptor above them. The generation catches a
// CQE that is not the awaited one.
constexpr std::uint64_t cancel_tag = 1;
constexpr std::uint64_t close_tag = 2;
constexpr std::uint64_t tag_mask = 3;
constexpr unsigned tag_bits = 2;
constexpr std::uint64_t second_close = std::uint64_t{1} << 40;  // above any descriptor
static_assert(alignof(Operation) > tag_mask);
constexpr unsigned address_bits = 48;
constexpr std::uint64_t address_mask = (std::uint64_t{1} << address_bits) - 1;

std::uint64_t token(const Operation& operation, std::uint16_t generation) {
    const std::uint64_t address = reinterpret_cast<std::uintptr_t>(&operation);
    RINGLET_ASSERT((address & ~address_mask) == 0 && (address & tag_mask) == 0);
    return std::uint64_t{generation} << address_bits | address;
}

std::uint64_t close_token(int descriptor) {
    return std::uint64_t{static_cast<unsigned>(descriptor)} << tag_bits | close_tag;
}

int descriptor_of(std::uint64_t user_data) {
    return static_cast<int>((user_data & ~second_close) >> tag_bits);
}

void prepare_close(io_uring_sqe& sqe, std::uint64_t user_data) {
    ::io_uring_prep_close(&sqe, descriptor_of(user_data));
    sqe.user_data = user_data;
}

}  // namespace

Operation* Operations::operation_of(std::uint64_t user_data) {
    if ((user_data & tag_mask) != 0) return nullptr;
    return reinterpret_cast<Operation*>(static_cast<std::uintptr_t>(user_data & address_mask));
}

inline io_uring_sqe& Operations::next_sqe() {
    has_unsubmitted_ = true;
    return ring_.next_sqe();
}

inline void Operations::prepare(Operation& operation) {
    io_uring_sqe& sqe = next_sqe();
    static_cast<const OperationHooks*>(operation.hooks)->prepare(operation, sqe);
    operation.generation_ = ++generation_;
    sqe.user_data = token(operation, operation.generation_);
}

inline void Operations::submit(Operation& operation) {
    prepare(operation);
    operation.state_ = Operation::State::in_flight;
    in_flight_max_ = std::max(in_flight_max_, ++in_flight_);
}

void Operations::start(Operation& operation) {
    RINGLET_ASSERT(operation.is_idle());
    operation.cancel_requested_ = false;
    if (in_flight_ < limit_ && line_.empty()) return submit(operation);
    operation.state_ = Operation::State::in_line;
    line_.push_back(operation);
    ++in_line_;
}

void Operations::start_internal(Operation& operation) {
    RINGLET_ASSERT(operation.is_idle() && internal_ < internal_operations);
    operation.cancel_requested_ = false;
    prepare(operation);
    operation.state_ = Operation::State::internal;
    ++internal_;
}

bool Operations::cancel(Operation& operation) {
    RINGLET_ASSERT(!operation.is_idle());
    if (operation.state_ == Operation::State::in_line) {
        operation.unlink();
        --in_line_;
        operation.state_ = Operation::State::idle;
        return true;
    }
    if (!operation.cancel_requested_) {
        operation.cancel_requested_ = true;
        io_uring_sqe& sqe = next_sqe();
        ::io_uring_prep_cancel64(&sqe, token(operation, operation.generation_), 0);
        sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;  // a failing one posts a CQE all the same
        sqe.user_data = cancel_tag;
    }
    return false;
}

void Operations::close(int descriptor) {
    prepare_close(next_sqe(), close_token(descriptor));
    ++closing_;
}

inline void Operations::complete(Operation& operation, const Completion& completion) {
    const bool internal = operation.state_ == Operation::State::internal;
    RINGLET_ASSERT(operation.generation_ == completion.user_data >> address_bits);
    RINGLET_ASSERT(internal || operation.state_ == Operation::State::in_flight);
    if ((completion.flags & IORING_CQE_F_MORE) != 0) {  // of a multishot, and not the last
        operation.result_ = completion.result;
        return static_cast<const OperationHooks*>(operation.hooks)
            ->completed(operation, completion.flags);
    }
    operation.state_ = Operation::State::idle;
    internal ? --internal_ : --in_flight_;
    // An interrupted operation has done nothing; if nobody cancelled it, it goes on.
    if (completion.result == -EINTR && !operation.cancel_requested_) {
        return internal ? start_internal(operation) : submit(operation);
    }
    operation.result_ = completion.result;
    static_cast<const OperationHooks*>(operation.hooks)->completed(operation, completion.flags);
}

inline void Operations::admit() {
    while (in_flight_ < limit_) {
        Operation* first = line_.pop_front();
        if (first == nullptr) return;
        --in_line_;
        first->state_ = Operation::State::idle;
        submit(*first);
    }
}

unsigned Operations::reap() {
    std::array<Completion, 64> batch;
    unsigned closed = 0;
    for (;;) {
        const std::size_t count = ring_.reap(batch);
        for (const Completion& each : std::span(batch).first(count)) {
            if ((each.user_data & tag_mask) == cancel_tag) continue;
            if ((each.user_data & tag_mask) == close_tag) {
                // Nobody cancels a close: io_uring could start no worker for it. A second time, but
                // not for ever.
                if (each.result == -ECANCELED && (each.user_data & second_close) == 0) {
                    prepare_close(next_sqe(), each.user_data | second_close);
                    continue;
                }
                if (each.result == -ECANCELED) {
                    log::warning("descriptor %d is left open: io_uring can start no worker",
                                 descriptor_of(each.user_data));
                }
                --closing_;
                ++closed;
                continue;
            }
            complete(*operation_of(each.user_data), each);
        }
        if (count < batch.size()) break;
    }
    admit();
    return closed;
}

}  // namespace ringlet
