// What fuzz targets share: saying what a finding is, and taking an input apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace ringlet::fuzz {

// Not an assertion of the runtime's: this must be the fuzzer's own finding, a trap, upon which
// libFuzzer keeps the input.
inline void expect(bool truth, const char* what) {
    if (truth) return;
    std::fprintf(stderr, "not so: %s\n", what);
    __builtin_trap();
}

// The head of an input; missing bytes are zero.
class Head {
public:
    explicit Head(std::string_view input) : rest_(input) {}
    unsigned byte() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

// The sizes of the pieces that a stream comes in, which follow from one byte: 0 is all at once, 1
// single bytes; with others the sizes vary.
class Pieces {
public:
    explicit Pieces(unsigned choice) : state_(choice) {}

    std::size_t next() {
        if (state_ == 0) return ~std::size_t{0};
        if (state_ == 1) return 1;
        state_ = state_ * 1103515245 + 12345;
        return 1 + (state_ >> 16) % 7;
    }

private:
    std::uint32_t state_;
};

}  // namespace ringlet::fuzz
