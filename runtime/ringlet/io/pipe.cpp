// Making a pipe under its two reservations.
#include <ringlet/io/pipe.hpp>

namespace ringlet {

Result<Pipe> Pipe::open() {
    unsigned reserved = 0;
    while (reserved < 2 && scheduler().reserve_descriptor()) ++reserved;
    Error why(std::errc::too_many_files_open, RuntimeDetail::descriptors);
    if (reserved == 2) {
        const auto ends = scheduler().system().pipe();
        if (ends) {
            const auto [reading, writing] = *ends;
            return Pipe(PipeReader(Descriptor(reading)), PipeWriter(Descriptor(writing)));
        }
        why = ends.error();
    }
    for (; reserved > 0; --reserved) scheduler().release_descriptor();
    return std::unexpected(why);
}

}  // namespace ringlet
