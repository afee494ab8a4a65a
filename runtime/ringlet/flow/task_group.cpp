// TaskGroup: what does not depend on the tasks' types.
#include <ringlet/flow/task_group.hpp>

namespace ringlet {

void TaskGroup::note_failure(Error error) {
    if (failed_ || (stopping_ && owner_.block->cancelled)) {
        ++suppressed_;
        last_suppressed_ = error;
        return;
    }
    failed_ = true;
    error_ = error;
    stop();
}

void TaskGroup::log_suppressed() const {
    if (suppressed_ == 0) return;
    log::warning("task group: %u further failures, the last: %s", suppressed_,
                 text(last_suppressed_));
}

void TaskGroup::cancel_tasks() {
    stopping_ = true;
    for (TaskBlock* each = first_; each != nullptr; each = each->next_sibling) {
        scheduler().cancel(*each);
    }
}

void TaskGroup::stop() {
    cancel_tasks();
    scheduler().cancel(body_);
}

void TaskGroup::visit(BlockVisitor visitor, void* context) {
    for (TaskBlock* each = first_; each != nullptr; each = each->next_sibling) {
        visitor(*each, context);
    }
}

}  // namespace ringlet
