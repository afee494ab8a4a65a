// say: words for the person at standard error.
#pragma once

#include <ringlet/task/task.hpp>

#include <string_view>

namespace ringlet {

// Writes the words as they are. Standard error may be closed or full, and there is no better place
// to say so: failures are ignored. Not by the log, which would write them at a time of its own.
// `words` outlives the await. One at a time, or lines mix.
//
// Cancellation: any part may have been written.
Task<void> say(std::string_view words);

}  // namespace ringlet
