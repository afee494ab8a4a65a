// Descriptors in messages between processes, over Unix sockets (SCM_RIGHTS).
//
//   1 a place in Limits::descriptors is reserved for each that may come
//   2 RECVMSG completes: those that came are owned at once; what was not needed is given back
//   3 more came than there was room for: the kernel closes these, and the result tells
#pragma once

#include <ringlet/base/static_vector.hpp>
#include <ringlet/io/descriptor.hpp>
#include <ringlet/task/task.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringlet {

// In one message; the kernel's own bound is 253 (unix(7), SCM_MAX_FD).
inline constexpr unsigned passed_descriptors_max = 8;

// What came.
struct PassedDescriptors {
    PassedDescriptors() = default;  // GCC before 14 destroys an aggregate twice in a co_await

    std::size_t size = 0;           // bytes in the buffer
    bool truncated = false;         // of a datagram: it was longer than the buffer
    bool descriptors_lost = false;  // some did not fit, or could not be opened: they are closed
    StaticVector<Descriptor, passed_descriptors_max> descriptors;
};

enum class MessageKind : std::uint8_t { bytes, datagram };

// Sends bytes with descriptors, which stay the caller's. Gives how many bytes were sent: of a
// stream it may be a part, and the descriptors went with it.
//
// Errors: invalid_argument for more than passed_descriptors_max; bad_file_descriptor; the kernel's.
// Cancellation: all was sent, or nothing.
Task<std::size_t> send_with_descriptors(int socket, std::span<const std::byte> bytes,
                                        std::span<const int> descriptors, MessageKind kind);

// Receives bytes, and at most `room` descriptors.
Task<PassedDescriptors> receive_with_descriptors(int socket, std::span<std::byte> into,
                                                 unsigned room, MessageKind kind);

}  // namespace ringlet
