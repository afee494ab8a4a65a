// An argument that says itself that it does not own is refused.
// expect: an abandonable job owns its arguments: no pointers, references or views
#include <ringlet/task/task.hpp>
#include <ringlet/work/offload.hpp>

#include <string_view>

ringlet::Task<void> leaves(std::string_view words) {
    co_await ringlet::offload(ringlet::abandonable([](std::string_view) {}, words));
}
