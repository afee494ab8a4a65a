// The errors of the resolver.
//
// What a name server said, or did not say, has the domain `dns` and a Detail. So has what the
// network said of the servers, with the kernel's code: nobody shall take it for the host's answer.
#pragma once

#include <ringlet/base/error.hpp>

#include <cstdint>

namespace ringlet::dns {

inline constexpr Domain domain = driver_domain(1);

enum class Detail : std::uint16_t {
    none,
    name_characters,  // invalid_argument: other than letters, digits, '-', '_' and '.'
    name_shape,       // invalid_argument: empty, a part empty or too long, a number at the end
    not_ascii,        // invalid_argument: an international name, not in its "xn--" form
    not_found,        // address_not_available: NXDOMAIN, there is no such name
    no_address,       // address_not_available: the name exists and has no such address
    no_servers,       // destination_address_required: none was given
    no_answer,        // timed_out: every server, every attempt
    unreachable,      // the kernel's code (connection_refused, ...): no server could be reached
    server_failure,   // resource_unavailable_try_again: SERVFAIL
    refused,          // permission_denied: REFUSED
    not_understood,   // not_supported: FORMERR, NOTIMP and codes that nobody uses
    malformed,        // bad_message: an answer that cannot be read
    too_long,         // message_size: an answer longer than Limits::message_bytes
    memory,           // not_enough_memory: an answer that needs more than arena_bytes
};

constexpr Detail detail_of(Error error) {
    return error.domain() == domain ? static_cast<Detail>(error.detail()) : Detail::none;
}
constexpr bool operator==(Error error, Detail detail) {
    return error.domain() == domain && detail_of(error) == detail;
}

// The error of a detail, with its std::errc; detail is neither `none` nor `unreachable`.
Error error_of(Detail detail);
// unreachable, with the kernel's code.
Error unreachable_error(std::errc code);

// Whether it is this machine's lack: of descriptors, frames or memory. That says nothing of others.
bool is_our_own(Error error);

}  // namespace ringlet::dns
