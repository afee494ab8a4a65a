// Opening a bus, and I2C_RDWR.
#include <ringlet/i2c/bus.hpp>

#include <linux/i2c-dev.h>

#include <cerrno>

namespace ringlet::i2c {
namespace {

Message message(std::uint8_t address, unsigned flags, const std::byte* bytes, std::size_t size) {
    RINGLET_ASSERT(address < 0x80 && size <= message_bytes_max);
    Message made{};
    made.addr = address;
    made.flags = static_cast<__u16>(flags);
    made.len = static_cast<__u16>(size);
    made.buf = reinterpret_cast<__u8*>(const_cast<std::byte*>(bytes));  // it is not written to
    return made;
}

// Message is i2c_msg and no more, so an array of them is one of those.
static_assert(sizeof(Message) == sizeof(::i2c_msg));

Result<void> run(System& system, int descriptor, std::span<Message> messages) {
    i2c_rdwr_ioctl_data transfer{.msgs = messages.data(),
                                 .nmsgs = static_cast<__u32>(messages.size())};
    const auto done = system.control_object(descriptor, I2C_RDWR, transfer);
    if (!done) return std::unexpected(done.error());
    // i2c_transfer() says how many messages went through.
    const bool all = static_cast<std::size_t>(*done) == messages.size();
    if (!all) return std::unexpected(Error::kernel(EIO));
    return {};
}

// The unit of I2C_TIMEOUT is 10 ms.
std::uintptr_t timeout_units(std::chrono::milliseconds timeout) {
    RINGLET_ASSERT(timeout.count() > 0);
    return static_cast<std::uintptr_t>((timeout.count() + 9) / 10);
}

}  // namespace

bool is_not_acknowledged(Error error) {
    return error == Error::kernel(ENXIO) || error == Error::kernel(EREMOTEIO);
}

Message Message::write(std::uint8_t address, std::span<const std::byte> bytes) {
    return message(address, 0, bytes.data(), bytes.size());
}
Message Message::read(std::uint8_t address, std::span<std::byte> into) {
    return message(address, I2C_M_RD, into.data(), into.size());
}

Result<void> Transfer::operator()() const {
    return run(*system_, descriptor_, messages_);
}
Result<void> Exchange::operator()() {
    return run(*system_, descriptor_, std::span(messages_).first(count_));
}

// i2c-dev on an O_NONBLOCK descriptor may say EAGAIN: this one is blocking.
Task<Bus> Bus::open(const char* path, Limits limits) {
    File file = co_await File::open(path, OpenMode::read_write);
    System& system = scheduler().system();
    unsigned long functions = 0;
    co_await system.control_object(file.descriptor(), I2C_FUNCS, functions);
    co_await system.control(file.descriptor(), I2C_TIMEOUT, timeout_units(limits.timeout));
    co_await system.control(file.descriptor(), I2C_RETRIES, limits.retries);
    co_return Bus(std::move(file), functions);
}

Offload<Transfer> Bus::transfer(std::span<Message> messages) {
    RINGLET_ASSERT(!messages.empty() && messages.size() <= messages_max);
    return offload(lane_, Transfer(scheduler().system(), descriptor(), messages));
}

Offload<Exchange> Bus::write(std::uint8_t address, std::span<const std::byte> bytes) {
    return offload(lane_, Exchange(scheduler().system(), descriptor(),
                                   Message::write(address, bytes)));
}

Offload<Exchange> Bus::read(std::uint8_t address, std::span<std::byte> into) {
    return offload(lane_, Exchange(scheduler().system(), descriptor(),
                                   Message::read(address, into)));
}

Offload<Exchange> Bus::write_read(std::uint8_t address, std::span<const std::byte> bytes,
                                  std::span<std::byte> into) {
    return offload(lane_, Exchange(scheduler().system(), descriptor(),
                                   Message::write(address, bytes), Message::read(address, into)));
}

}  // namespace ringlet::i2c
