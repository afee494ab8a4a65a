// CharacterDevice: a simulated device, as a model of it answers; for tests and for what they share.
//
//   class Dice final : public CharacterDevice {
//   public:
//       explicit Dice(World& world) : CharacterDevice(world, "/dev/dice") {}
//       int read(OpenDevice&, std::span<std::byte> out) override {
//           world().take_time(20ms);                  // the device is slow
//           out[0] = std::byte{4};
//           return 1;
//       }
//       int control(OpenDevice&, unsigned long request, std::uintptr_t argument) override;
//   };
//
// The calls answer as the device's driver in the kernel does: a count, or a negative errno;
// would_block: not yet, and the ring tries again once something has changed. OpenDevice is one open
// file of it, with room for what the model must remember of that one.
//
// Whoever waits is served when the ring is entered, or virtual time passes, after a model changed.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/intrusive_list.hpp>
#include <ringlet/testing/object.hpp>

#include <fcntl.h>
#include <poll.h>

namespace ringlet::testing {

class CharacterDevice;
class World;

class OpenDevice final : public Object {
public:
    int open(CharacterDevice& device, int flags);
    // The device is gone: every call says ENODEV from now on.
    void lose(const CharacterDevice& device) {
        if (device_ == &device) device_ = nullptr;
    }

    bool is_nonblocking() const { return (flags_ & O_NONBLOCK) != 0; }
    std::uint64_t note = 0;  // the model's own; 0 when it is opened

    int read(std::span<std::byte> out, Offset at) override;
    int write(std::span<const std::byte> in, Offset at) override;
    // FIONBIO is answered here, everything else by the model.
    int control(unsigned long request, std::uintptr_t argument) override;
    unsigned ready() const override;
    mode_t mode() const override { return S_IFCHR | 0600; }
    std::size_t read_grain() const override;
    std::size_t write_grain() const override { return read_grain(); }
    bool may_be_nonblocking() const override { return is_nonblocking(); }

private:
    void closed() override;

    CharacterDevice* device_ = nullptr;  // null: unplugged
    int flags_ = 0;
};

class CharacterDevice : public ListLink<> {
public:
    // Stands at `path`, up to path_bytes_max of it, for as long as it lives; its folder must be
    // there. The world outlives it. Null: it has no name, and is opened by World::open_device().
    CharacterDevice(World& world, const char* path);
    CharacterDevice(const CharacterDevice&) = delete;
    CharacterDevice& operator=(const CharacterDevice&) = delete;

    static constexpr std::size_t path_bytes_max = 63;

    // Pulls the plug: its name is gone, and whoever has it open gets ENODEV. For ever.
    void unplug();

    virtual int opened(OpenDevice&) { return 0; }
    virtual int read(OpenDevice&, std::span<std::byte>) { return -EINVAL; }
    virtual int write(OpenDevice&, std::span<const std::byte>) { return -EINVAL; }
    virtual int control(OpenDevice&, unsigned long, std::uintptr_t) { return -ENOTTY; }
    virtual unsigned ready(const OpenDevice&) const { return POLLIN | POLLOUT; }
    virtual void closed(OpenDevice&) {}
    // A shortened transfer still moves so many bytes at least.
    virtual std::size_t grain() const { return 1; }

    World& world() const { return world_; }
    const char* path() const { return path_; }
    int node = -1;  // of the file tree

protected:
    ~CharacterDevice() { unplug(); }

private:
    World& world_;
    char path_[path_bytes_max + 1]{};
};

// What a request's argument points at; for control().
template <class T>
T& pointed_at(std::uintptr_t argument) {
    RINGLET_ASSERT(argument != 0);
    return *reinterpret_cast<T*>(argument);
}

}  // namespace ringlet::testing
