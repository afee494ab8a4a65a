// What an open file of a device passes on to its model, and what not.
#include <ringlet/testing/character_device.hpp>

#include <ringlet/testing/world.hpp>

#include <sys/ioctl.h>

#include <cstring>

namespace ringlet::testing {

int OpenDevice::open(CharacterDevice& device, int flags) {
    flags_ = flags;
    note = 0;
    const int error = device.opened(*this);
    device_ = error == 0 ? &device : nullptr;
    return error;
}

int OpenDevice::read(std::span<std::byte> out, Offset) {
    if ((flags_ & O_ACCMODE) == O_WRONLY) return -EBADF;
    return device_ == nullptr ? -ENODEV : device_->read(*this, out);
}

int OpenDevice::write(std::span<const std::byte> in, Offset) {
    if ((flags_ & O_ACCMODE) == O_RDONLY) return -EBADF;
    return device_ == nullptr ? -ENODEV : device_->write(*this, in);
}

int OpenDevice::control(unsigned long request, std::uintptr_t argument) {
    if (request == FIONBIO) {
        const bool on = pointed_at<const int>(argument) != 0;
        flags_ = on ? flags_ | O_NONBLOCK : flags_ & ~O_NONBLOCK;
        return 0;
    }
    return device_ == nullptr ? -ENODEV : device_->control(*this, request, argument);
}

unsigned OpenDevice::ready() const {
    return device_ == nullptr ? POLLERR | POLLHUP : device_->ready(*this);
}

std::size_t OpenDevice::read_grain() const {
    return device_ == nullptr ? 1 : device_->grain();
}

void OpenDevice::closed() {
    if (device_ != nullptr) std::exchange(device_, nullptr)->closed(*this);
}

CharacterDevice::CharacterDevice(World& world, const char* path) : world_(world) {
    if (path == nullptr) return;
    const std::size_t size = std::strlen(path);
    RINGLET_ASSERT(size <= path_bytes_max);
    std::memcpy(path_, path, size);
    world_.add_device(*this);
}

void CharacterDevice::unplug() {
    world_.remove_device(*this);
}

}  // namespace ringlet::testing
