// Asking address by address.
#include <ringlet/i2c/scan.hpp>

#include <ringlet/task/attempt.hpp>

namespace ringlet::i2c {
namespace {

// Where EEPROMs are: a quick write may move their place for reading, or worse.
bool has_memory(std::uint8_t address) {
    return (address >= 0x30 && address <= 0x37) || (address >= 0x50 && address <= 0x5f);
}

// Of what is no answer from a chip. Some adapters know no better word for it, and i2c-stub has one
// of its own.
bool is_silence(Error error) {
    return is_not_acknowledged(error) || error == Error::kernel(EIO) ||
           error == Error::kernel(ENODEV);
}

Task<Result<void>> ask(Smbus chip, bool reads) {
    if (!reads) co_return co_await attempt(chip.quick());
    const auto read = co_await attempt(chip.read_byte());
    if (!read) co_return std::unexpected(read.error());
    co_return Result<void>();
}

}  // namespace

Task<Found> scan(Bus& bus, std::uint8_t first, std::uint8_t last) {
    RINGLET_ASSERT(first <= last && last < 0x80);
    const bool can_read = bus.can(I2C_FUNC_SMBUS_READ_BYTE);
    const bool can_write = bus.can(I2C_FUNC_SMBUS_QUICK);
    if (!can_read && !can_write) co_await fail(Error::kernel(EOPNOTSUPP));
    Found found;
    for (unsigned each = first; each <= last; ++each) {
        const auto address = static_cast<std::uint8_t>(each);
        const bool reads = can_read && (has_memory(address) || !can_write);
        const auto answer = co_await ask(Smbus(bus, address), reads);
        if (answer) {
            found.chips.set(address);
        } else if (answer.error() == std::errc::device_or_resource_busy) {
            found.taken.set(address);
        } else if (!is_silence(answer.error())) {
            co_await fail(answer.error());
        }
    }
    co_return found;
}

}  // namespace ringlet::i2c
