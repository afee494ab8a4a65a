// The descriptors of the simulated process: lowest free number first, up to a limit.
#pragma once

#include <ringlet/testing/object.hpp>

#include <cstddef>
#include <vector>

namespace ringlet::testing {

class DescriptorTable {
public:
    explicit DescriptorTable(unsigned limit) : objects_(limit, nullptr), limit_(limit) {}

    // Lowers the limit, or raises it back to at most what the table was built for. Descriptors
    // that are open stay so, as under setrlimit(2).
    void set_limit(unsigned limit) {
        RINGLET_ASSERT(limit <= objects_.size());
        limit_ = limit;
    }

    // Takes over a reference to the object. -EMFILE leaves it with the caller.
    int install(Object& object) {
        const int number = lowest_free();
        if (number >= 0) objects_[static_cast<std::size_t>(number)] = &object;
        return number;
    }

    // The number that install() would give, or -EMFILE.
    int lowest_free() const {
        for (unsigned number = 0; number < limit_; ++number) {
            if (objects_[number] == nullptr) return static_cast<int>(number);
        }
        return -EMFILE;
    }

    // Null if the descriptor is not open.
    Object* at(int descriptor) const {
        const bool inside = descriptor >= 0 && static_cast<unsigned>(descriptor) < objects_.size();
        return inside ? objects_[static_cast<std::size_t>(descriptor)] : nullptr;
    }

    int close(int descriptor) {
        Object* object = at(descriptor);
        if (object == nullptr) return -EBADF;
        objects_[static_cast<std::size_t>(descriptor)] = nullptr;
        object->release();
        return 0;
    }

    unsigned open() const {
        unsigned count = 0;
        for (const Object* object : objects_)
            count += object != nullptr ? 1 : 0;
        return count;
    }

private:
    std::vector<Object*> objects_;
    unsigned limit_;
};

}  // namespace ringlet::testing
