// recvmsg(2), of the ring and of the System alike.
#pragma once

#include <ringlet/testing/descriptor_table.hpp>
#include <ringlet/testing/socket.hpp>

#include <sys/socket.h>

#include <cstdint>

namespace ringlet::testing {

// Receives what `asked` has room for, `bytes_max` of it, and tells of it in `header`, whose copy
// that is, of when it was asked. Gives the size, or the error; would_block: nothing is there.
int receive_message(DescriptorTable& descriptors, Socket& socket, msghdr& header,
                    const msghdr& asked, unsigned flags, std::size_t bytes_max = SIZE_MAX);

}  // namespace ringlet::testing
