// Object: what a descriptor refers to. Pool: the fixed number of objects of one kind.
//
// Every call answers as a system call in the kernel does: a count, or a negative errno; would_block
// says that it cannot go on now and has changed nothing. Nothing in an object waits: the ring tries
// again.
//
// An object lives while something refers to it: its descriptor, and each operation that is parked
// on it. So closing a descriptor under a parked receive closes nothing, as in the kernel.
#pragma once

#include <ringlet/base/panic.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

namespace ringlet::testing {

inline constexpr int would_block = -EAGAIN;

// A place in a file; for what has no places, it means nothing.
using Offset = std::int64_t;
inline constexpr Offset at_position = -1;  // where the last transfer ended

class Socket;
class OpenFile;
class TerminalLine;

class Object {
public:
    Object() = default;
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    virtual int read(std::span<std::byte>, Offset) { return -EBADF; }
    virtual int write(std::span<const std::byte>, Offset) { return -EBADF; }
    virtual int control(unsigned long, std::uintptr_t) { return -ENOTTY; }  // ioctl(2)
    virtual unsigned ready() const = 0;  // POLLIN | POLLOUT | ..., as poll(2) reports them
    virtual mode_t mode() const = 0;     // S_IF*

    // What only one kind can do is asked of it.
    virtual Socket* as_socket() { return nullptr; }
    virtual OpenFile* as_file() { return nullptr; }
    virtual TerminalLine* as_terminal() { return nullptr; }

    // The least that a shortened transfer must still move.
    virtual std::size_t read_grain() const { return 1; }
    virtual std::size_t write_grain() const { return 1; }

    // Can it be O_NONBLOCK, so that a read or a write may say EAGAIN?
    virtual bool may_be_nonblocking() const { return true; }

    bool in_use() const { return references_ != 0; }
    void hold() { ++references_; }
    void release() {
        RINGLET_ASSERT(references_ != 0);
        if (--references_ == 0) closed();
    }

protected:
    ~Object() = default;

private:
    // The last reference is gone. The slot may be taken again at once.
    virtual void closed() = 0;

    unsigned references_ = 0;
};

template <class T>
class Pool {
public:
    template <class... Arguments>
    explicit Pool(unsigned count, Arguments&&... arguments) {
        // A deque, since it never moves what it holds.
        for (unsigned i = 0; i < count; ++i)
            items_.emplace_back(arguments...);
    }

    // A free object with one reference, or null.
    T* take() {
        for (T& item : items_) {
            if (item.in_use()) continue;
            item.hold();
            return &item;
        }
        return nullptr;
    }

    auto begin() { return items_.begin(); }
    auto end() { return items_.end(); }

private:
    std::deque<T> items_;
};

}  // namespace ringlet::testing
