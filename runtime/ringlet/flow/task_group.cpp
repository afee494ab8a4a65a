// TaskGroup: what does not depend on the tasks' types.
#include <ringlet/flow/task_group.hpp>

namespace ringlet {

void TaskGroup::add(SpawnedBlock& task) {
    task.previous_sibling = last_;
    (last_ == nullptr ? first_ : last_->next_sibling) = &task;
    last_ = &task;
    ++size_;
    scheduler().start(task);
    if (stopping_) scheduler().cancel(task);
}

void TaskGroup::task_ended(SpawnedBlock& task) {
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
