// The waker's read, which is always in flight.
#include <ringlet/work/waker.hpp>

#include <utility>

namespace ringlet {

constinit const OperationHooks Waker::hooks_{
    {.reason = "waker", .catches = false, .cancel = [](Pending&) {}}, prepare, completed};

Waker::Waker(Scheduler& scheduler)
    : Operation(hooks_, nullptr), operations_(scheduler.operations()), system_(scheduler.system()) {
}

Waker::~Waker() {
    if (is_open()) system_.close(descriptor_);
}

Result<void> Waker::open() {
    const auto opened = system_.open_waker();
    if (!opened) return std::unexpected(opened.error());
    descriptor_ = *opened;
    return {};
}

void Waker::start() {
    stopping_ = false;
    operations_.start_internal(*this);
}

void Waker::stop() {
    stopping_ = true;
    if (!is_idle()) operations_.cancel(*this);
}

void Waker::prepare(Operation& operation, io_uring_sqe& sqe) {
    auto& self = static_cast<Waker&>(operation);
    ::io_uring_prep_read(&sqe, self.descriptor_, &self.count_, sizeof self.count_, 0);
}

// Whatever it brought, the loop is awake, and looks at was_told() in each turn.
void Waker::completed(Operation& operation, std::uint32_t) {
    auto& self = static_cast<Waker&>(operation);
    if (!self.stopping_) self.operations_.start_internal(self);
}

}  // namespace ringlet
