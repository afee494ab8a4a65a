// Rights: descriptors on their way in a message (SCM_RIGHTS, unix(7)). Each holds its object, so
// what is under way lives although its sender has closed it, and dies with its message.
#pragma once

#include <ringlet/testing/object.hpp>

#include <array>
#include <utility>

namespace ringlet::testing {

class Rights {
public:
    static constexpr unsigned max = 16;  // in one message; the kernel has 253

    Rights() = default;
    Rights(Rights&& other) noexcept { *this = std::move(other); }
    Rights& operator=(Rights&& other) noexcept {
        drop();
        objects_ = other.objects_;
        count_ = std::exchange(other.count_, 0);
        return *this;
    }
    ~Rights() { drop(); }

    bool empty() const { return count_ == 0; }
    unsigned size() const { return count_; }

    // False if there is no room.
    bool add(Object& object) {
        if (count_ == max) return false;
        object.hold();
        objects_[count_++] = &object;
        return true;
    }
    // Gives the first `count` away, whose references pass to the caller; drops the rest.
    std::array<Object*, max> take(unsigned count) {
        while (count_ > count)
            objects_[--count_]->release();
        count_ = 0;
        return objects_;
    }
    Object& operator[](unsigned index) const { return *objects_[index]; }
    void drop() { take(0); }

private:
    std::array<Object*, max> objects_{};
    unsigned count_ = 0;
};

}  // namespace ringlet::testing
