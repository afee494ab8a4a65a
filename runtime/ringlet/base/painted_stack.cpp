// Painting below the stack's end, where no object is: by address, and from functions that call
// nothing meanwhile.
#include <ringlet/base/painted_stack.hpp>

#include <sys/auxv.h>
#include <sys/resource.h>

#include <algorithm>

namespace ringlet {
namespace {

constexpr unsigned char paint_value = 0xA5;
constexpr std::size_t own_frame = 512;  // of whoever paints: room for its locals
constexpr rlim_t stack_bytes_max = 8 * 1024 * 1024;  // without a limit; nothing else is that near

// Bytes from `here` down to where the main thread's stack may grow; 0 on another stack. (The C
// library's own answer reads /proc by way of stdio, which a static program then contains.)
[[gnu::cold, gnu::noinline]] std::size_t stack_left(std::uintptr_t here) {
    const std::uintptr_t top = ::getauxval(AT_EXECFN);  // the kernel puts it there
    rlimit limit{};
    if (::getrlimit(RLIMIT_STACK, &limit) != 0) return 0;
    const auto size = static_cast<std::size_t>(std::min(limit.rlim_cur, stack_bytes_max));
    return here < top && top - here < size ? size - (top - here) : 0;
}

}  // namespace

[[gnu::cold, gnu::no_sanitize_address]] void PaintedStack::paint() {
    top_ = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest_ = top_ - std::min(painted_bytes_max, stack_left(top_) / 2);
    for (std::uintptr_t at = top_ - own_frame; at > lowest_;) {  // downwards, as a stack grows
        *reinterpret_cast<volatile unsigned char*>(--at) = paint_value;
    }
}

[[gnu::cold, gnu::no_sanitize_address]] std::size_t PaintedStack::used() const {
    std::uintptr_t at = lowest_;
    while (at < top_ && *reinterpret_cast<const volatile unsigned char*>(at) == paint_value) ++at;
    return top_ - at;
}

}  // namespace ringlet
