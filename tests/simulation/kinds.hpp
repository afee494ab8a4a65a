// The kinds of node that random programs are made of: their names in a program's text, how many
// children each has, and what the model may ask of it. What a kind does stands in the interpret_*
// files, in the order of this list: see interpret.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringlet::simulate {

enum class Kind : std::uint8_t {
    // flow: what is done with children
    sequence,
    loop,
    attempt,
    group,
    gather,
    gather_results,
    race,
    timeout,
    shield,
    with,
    finally,
    retry,
    // holding something meanwhile
    locked,
    permit,
    // single steps
    sleep,
    timed_sleep,
    tick,
    yield,
    fail,
    cancel,
    generator,
    // of the whole program's one queue and event
    shared_put,
    shared_get,
    event_wait,
    event_set,
    // scenes: several tasks on something of their own
    queue,
    condition,
    barrier,
    broadcast,
    watch,
    pipe,
    tcp,
    unix,
    pooled,
    datagrams,
    poll,
    file,
    offload,
};

struct KindTraits {
    std::string_view name;
    unsigned children_min;
    unsigned children_max;
    // Unwinds at the very instant of a cancellation. What waits for the kernel, a worker, a mutex
    // or a clean-up may take longer; so a time limit round it is not exact.
    bool prompt;
    // How often the generator takes it, against the others.
    unsigned weight;
};

inline constexpr std::array kind_traits = {
    KindTraits{"sequence", 1, 4, true, 3},
    KindTraits{"loop", 1, 2, true, 3},
    KindTraits{"attempt", 1, 1, true, 4},
    KindTraits{"group", 1, 4, true, 8},
    KindTraits{"gather", 2, 3, true, 4},
    KindTraits{"gather_results", 2, 3, true, 3},
    KindTraits{"race", 2, 3, true, 4},
    KindTraits{"timeout", 1, 2, true, 8},
    KindTraits{"shield", 1, 1, false, 3},
    KindTraits{"with", 1, 2, false, 3},
    KindTraits{"finally", 1, 2, false, 3},
    KindTraits{"retry", 1, 1, true, 2},
    KindTraits{"locked", 0, 2, true, 4},
    KindTraits{"permit", 0, 2, true, 4},
    KindTraits{"sleep", 0, 0, true, 3},
    KindTraits{"timed_sleep", 0, 0, true, 2},
    KindTraits{"tick", 0, 0, true, 2},
    KindTraits{"yield", 0, 0, true, 2},
    KindTraits{"fail", 0, 0, true, 1},
    KindTraits{"cancel", 0, 0, true, 4},
    KindTraits{"generator", 0, 1, true, 1},
    KindTraits{"shared_put", 0, 0, true, 3},
    KindTraits{"shared_get", 0, 0, true, 3},
    KindTraits{"event_wait", 0, 0, true, 2},
    KindTraits{"event_set", 0, 0, true, 2},
    KindTraits{"queue", 0, 2, true, 5},
    KindTraits{"condition", 0, 1, false, 3},
    KindTraits{"barrier", 0, 1, true, 2},
    KindTraits{"broadcast", 0, 1, true, 2},
    KindTraits{"watch", 0, 1, true, 2},
    KindTraits{"pipe", 0, 1, false, 4},
    KindTraits{"tcp", 0, 1, false, 4},
    KindTraits{"unix", 0, 1, false, 3},
    KindTraits{"pooled", 0, 1, false, 3},
    KindTraits{"datagrams", 0, 0, false, 2},
    KindTraits{"poll", 0, 0, false, 2},
    KindTraits{"file", 0, 0, false, 3},
    KindTraits{"offload", 0, 0, false, 3},
};

inline constexpr std::size_t kinds = kind_traits.size();
static_assert(kinds == static_cast<std::size_t>(Kind::offload) + 1);

constexpr const KindTraits& traits(Kind kind) {
    return kind_traits[static_cast<std::size_t>(kind)];
}

}  // namespace ringlet::simulate
