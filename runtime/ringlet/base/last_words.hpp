// What the log still holds when the process must not go on.
#pragma once

namespace ringlet::log {

// Writes the buffered lines with emergency_write(). Does nothing on a thread that did not attach
// the log, nor when it is called again: an assertion of the log's own may fail inside.
// What the kernel has been given to write, and has not said that it wrote, may come twice.
void write_last_words();

}  // namespace ringlet::log
