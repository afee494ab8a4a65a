// Binding a Unix socket to its name, and taking a name over from a process that has died.
#pragma once

#include <ringlet/ring/system.hpp>
#include <ringlet/task/task.hpp>

namespace ringlet {

struct UnixNameOptions {
    // A socket's file outlives its socket: the kernel never removes it. If one stands in the way,
    // and no socket has it any more, it is removed. What somebody has, or what is no socket, is
    // left alone: address_in_use. Two processes must not start at the same moment.
    bool replace_stale = true;
};

// bind(2). The address outlives the await.
Task<void> bind_unix(int descriptor, const SocketAddress& address, UnixNameOptions options);

}  // namespace ringlet
