// A task owns its arguments: what cannot be copied goes in by std::ref or std::move.
// expect: an argument cannot be copied into the task: pass std::ref(x), or std::move(x)
#include <ringlet/flow/task_group.hpp>

struct Fixed {
    Fixed() = default;
    Fixed(const Fixed&) = delete;
    Fixed& operator=(const Fixed&) = delete;
};
ringlet::Task<void> uses(const Fixed&) {
    co_return;
}
ringlet::Task<void> spawns(ringlet::TaskGroup& group) {
    Fixed fixed;
    (void)group.spawn(uses, fixed);
    co_return;
}
