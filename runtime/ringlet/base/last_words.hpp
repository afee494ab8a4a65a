// What the log still holds when the process must not go on.
#pragma once

#include <string_view>

namespace ringlet::log {

// Gives the buffered lines to `write`, in pieces, and forgets them.
void drain(void (*write)(std::string_view words, void* context), void* context);

// Writes the buffered lines with emergency_write(). Does nothing on a thread that did not attach
// the log, nor when it is called again: an assertion of the log's own may fail inside.
// What the kernel has been given to write, and has not said that it wrote, may come twice.
void write_last_words();

}  // namespace ringlet::log
