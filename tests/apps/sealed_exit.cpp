// Linked into the sealed build of an app, beside the seal: if anything was allocated while the
// runtime ran, the program ends with status 99, whatever its own would have been.
#include <ringlet/ring/kernel_seal.hpp>

#include <unistd.h>

namespace {

struct Judge {
    Judge() { ringlet::set_seal_reaction(ringlet::SealReaction::report); }
    ~Judge() {
        constexpr int broken = 99;
        if (ringlet::seal_breaches() != 0) ::_exit(broken);
    }
} judge;

}  // namespace
