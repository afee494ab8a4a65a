// The words of a failed assertion. emergency_write() stands with the other system calls, in ring/.
#include <ringlet/base/panic.hpp>

#include <ringlet/base/last_words.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace ringlet {

void panic(const char* what, const char* file, int line) {
    log::write_last_words();
    char words[512];
    const int size = std::snprintf(words, sizeof words, "ringlet: assertion failed at %s:%d: %s\n",
                                   file, line, what);
    emergency_write({words, std::min(static_cast<std::size_t>(size), sizeof words - 1)});
    std::abort();
}

}  // namespace ringlet
