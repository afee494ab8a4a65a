// The list.
#include <ringlet/flow/transient.hpp>

namespace ringlet {

bool is_transient(Error error) {
    // So readers and drivers tell of a stream that broke off; the kernel says something else by it.
    if (error == std::errc::no_message_available) {
        return error == RuntimeDetail::closed || error.domain() >= Domain::driver;
    }
    if (error.domain() == Domain::runtime) return error == std::errc::timed_out;
    switch (error.code()) {
        case std::errc::connection_refused:
        case std::errc::connection_reset:
        case std::errc::connection_aborted:
        case std::errc::broken_pipe:
        case std::errc::not_connected:
        case std::errc::timed_out:
        case std::errc::network_down:
        case std::errc::network_reset:
        case std::errc::network_unreachable:
        case std::errc::host_unreachable:
        case std::errc::no_buffer_space:
        case std::errc::device_or_resource_busy:
        case std::errc::resource_unavailable_try_again:
        case std::errc::interrupted: return true;
        default: return false;
    }
}

}  // namespace ringlet
