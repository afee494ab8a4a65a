// PaintedStack: how far the calls that follow use the main thread's stack.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringlet {

class PaintedStack {
public:
    // Paints the free part of the stack, from just below the caller: painted_bytes_max, or half of
    // what is left if that is less. It takes memory for good, as a call of that depth would. Paints
    // nothing in other threads.
    [[gnu::noinline]] void paint();

    // Bytes from paint()'s caller down to the deepest that was written since. As much as painted()
    // means that it may be more. 0 before paint().
    [[gnu::noinline]] std::size_t used() const;
    std::size_t painted() const { return top_ - lowest_; }

private:
    static constexpr std::size_t painted_bytes_max = 256 * 1024;

    std::uintptr_t top_ = 0;
    std::uintptr_t lowest_ = 0;
};

}  // namespace ringlet
