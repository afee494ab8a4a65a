// run_in_place: a program in static memory, alive no longer than it runs.
//
//   constinit std::optional<Monitor> monitor;   // too big for a coroutine's frame
//
//   co_return co_await run_in_place(monitor, settings);
#pragma once

#include <ringlet/task/task.hpp>

#include <optional>

namespace ringlet {

// Makes an App of the arguments in `place`, which is empty, and gives what its run() gives. `place`
// is empty again at the end, also of a task that is unwound: what the program holds goes while the
// runtime runs. `place` and the arguments outlive the await.
//
// Cancellation: run()'s, and then the program is destroyed.
template <class App, class... Arguments>
Task<int> run_in_place(std::optional<App>& place, const Arguments&... arguments) {
    struct Reset {
        explicit Reset(std::optional<App>& its_place) : place(its_place) {}
        Reset(const Reset&) = delete;
        ~Reset() { place.reset(); }
        std::optional<App>& place;
    };
    RINGLET_ASSERT(!place);
    place.emplace(arguments...);
    const Reset reset(place);
    co_return co_await place->run();
}

}  // namespace ringlet
