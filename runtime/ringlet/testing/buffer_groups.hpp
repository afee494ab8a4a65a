// The rings of provided buffers that were registered with a simulated ring.
//
// The user appends buffers by moving the tail in shared memory; the kernel's side keeps the head.
#pragma once

#include <liburing.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringlet::testing {

class BufferGroups {
public:
    // As io_uring_register_buf_ring(3): 0, or a negative errno.
    int add(io_uring_buf_ring* ring, unsigned entries, unsigned short group) {
        const auto address = reinterpret_cast<std::uintptr_t>(ring);
        if (ring == nullptr) return -EFAULT;
        if (address % 4096 != 0 || entries >= 65536) return -EINVAL;
        if (entries == 0 || (entries & (entries - 1)) != 0) return -EINVAL;
        if (find(group) != nullptr) return -EEXIST;
        for (Group& free : groups_) {
            if (free.ring != nullptr) continue;
            free = {ring, entries, group, 0};
            return 0;
        }
        return -ENOMEM;
    }

    int remove(unsigned short group) {
        Group* found = find(group);
        if (found == nullptr) return -ENOENT;
        *found = {};
        return 0;
    }

    struct Buffer {
        std::span<std::byte> bytes;
        unsigned short id;
    };

    // The next buffer of a group, cut to `size` unless that is 0. False if there is none.
    bool peek(unsigned short group, std::size_t size, Buffer& out) {
        const Group* found = find(group);
        if (found == nullptr) return false;
        const unsigned short tail = __atomic_load_n(&found->ring->tail, __ATOMIC_ACQUIRE);
        if (tail == found->head) return false;
        const io_uring_buf& buffer = found->ring->bufs[found->head & (found->entries - 1)];
        const std::size_t length = size == 0 ? buffer.len : std::min<std::size_t>(size, buffer.len);
        out = {{reinterpret_cast<std::byte*>(buffer.addr), length}, buffer.bid};
        return true;
    }

    void take(unsigned short group) {
        if (Group* found = find(group); found != nullptr) ++found->head;
    }

private:
    struct Group {
        io_uring_buf_ring* ring = nullptr;
        unsigned entries = 0;
        unsigned short id = 0;
        unsigned short head = 0;
    };

    Group* find(unsigned short group) {
        for (Group& candidate : groups_) {
            if (candidate.ring != nullptr && candidate.id == group) return &candidate;
        }
        return nullptr;
    }

    std::array<Group, 16> groups_{};
};

}  // namespace ringlet::testing
