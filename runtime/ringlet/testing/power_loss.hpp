// PowerLoss: what a power cut leaves of what was not synced.
//
// What was synced survives in every model: after fsync(2) of a file its contents, size and
// permissions, after fsync(2) of a folder the names in it. A file's name is its folder's: syncing
// the file alone does not keep it. Of the rest:
//
//                   journalled                      non_journalled
//   names           the oldest so many changes,     each change or not, whatever the others do;
//                   a rename as one                 of a rename, one half or the other or both
//   O_TRUNC         one of these changes            kept or not, whatever the names do
//   size            any between the last synced and the newest
//   appended bytes  up to that size, all            each sector, or zeros
//   other bytes     each sector, or what was there before
//
// A sector is torn from its neighbours, never in itself. Of one that was written twice, the first
// writing is forgotten.
//
// Source: fsync(2), "Calling fsync() does not necessarily ensure..."; rename(2); the kernel's
// Documentation/filesystems/ext4, data=ordered, of which `journalled` is a weaker form: fsync(2)
// of one file there takes older changes of names along.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringlet::testing {

inline constexpr std::size_t sector_bytes = 512;

enum class Survivors : unsigned char {
    synced,          // nothing that was not synced
    all,             // everything, as if the cut had come long after
    journalled,      // as the table says, drawn
    non_journalled,  // as the table says, drawn
};
inline constexpr Survivors all_survivors[] = {Survivors::synced, Survivors::all,
                                              Survivors::journalled, Survivors::non_journalled};

constexpr const char* text(Survivors survivors) {
    switch (survivors) {
        case Survivors::synced: return "only what was synced";
        case Survivors::all: return "all";
        case Survivors::journalled: return "journalled";
        case Survivors::non_journalled: return "non-journalled";
    }
    return "";
}

struct PowerLoss {
    Survivors survivors = Survivors::journalled;
    std::uint64_t seed = 0;  // of what is drawn; the world's own seed counts, too
};

}  // namespace ringlet::testing
