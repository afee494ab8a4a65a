// I2cAdapter: a simulated I2C bus behind /dev/i2c-N, in virtual time, with faults.
//
//   simulation.world().make_folder("/dev");
//   I2cAdapter adapter(simulation.world(), "/dev/i2c-1");
//   I2cThermometer thermometer;
//   adapter.attach(0x48, thermometer);
//
// It answers as i2c-dev does: I2C_RDWR, I2C_SMBUS (made of messages where the adapter knows I2C,
// as the kernel makes it), I2C_FUNCS, I2C_SLAVE, I2C_TIMEOUT, I2C_RETRIES. Everyone who has it open
// shares the bus: a transfer waits for the one before. A transfer takes the time of its bits. What
// it does to chips is done when it begins; its caller hears of it at its end.
#pragma once

#include <ringlet/testing/character_device.hpp>
#include <ringlet/testing/i2c_chips.hpp>
#include <ringlet/testing/random.hpp>

#include <linux/i2c.h>

#include <bitset>

namespace ringlet::testing {

struct I2cAdapterOptions {
    unsigned long functions = I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL_ALL;
    unsigned bits_per_second = 100'000;
    int not_acknowledged = ENXIO;  // some drivers of adapters say EREMOTEIO
    // What goes wrong, each in percent of transfers, drawn from the seed for each.
    std::uint64_t seed = 0;
    unsigned noise = 0;     // no chip acknowledges
    unsigned lost = 0;      // another master wins: EAGAIN
    unsigned stretched = 0; // a chip holds the clock for longer than the time limit: ETIMEDOUT
};

class I2cAdapter final : public CharacterDevice {
public:
    I2cAdapter(World& world, const char* path, const I2cAdapterOptions& options = {});

    // ---- the test's ----
    void attach(std::uint8_t address, I2cChip& chip) { chips_[address] = &chip; }
    void detach(std::uint8_t address) { chips_[address] = nullptr; }
    // A driver of the kernel has the chip: I2C_SLAVE says EBUSY.
    void claim(std::uint8_t address) { claimed_.set(address); }

    // The next so many transfers, tries again included, end with -number.
    void fail_next(int number, unsigned times = 1) {
        failure_ = number;
        failures_ = times;
    }
    // From now on each transfer takes so much longer, and ends with ETIMEDOUT at the time limit.
    void slow_down(Nanoseconds span) { slower_ = span; }
    // A chip holds the data line low: each transfer ends with ETIMEDOUT, at the time limit.
    void get_stuck(bool stuck) { stuck_ = stuck; }

    // No transfer is under way.
    bool is_idle() const;
    unsigned transfers() const { return transfers_; }
    Nanoseconds timeout() const { return timeout_; }
    unsigned retries() const { return retries_; }

    // ---- the program's ----
    int control(OpenDevice& file, unsigned long request, std::uintptr_t argument) override;

private:
    using Messages = std::span<const ::i2c_msg>;

    int transfer_messages(std::uintptr_t argument);
    int transfer_smbus(std::uint8_t address, std::uintptr_t argument);
    int read_block(std::uint8_t address, std::uint8_t command, ::i2c_smbus_data& data);
    int transfer(Messages messages);
    int attempt(Messages messages, Instant& now);
    int draw_failure();
    int drive(Messages messages, Instant& now);
    bool drive_one(const ::i2c_msg& message, I2cChip& chip, Instant& now);
    void pass_bytes(std::size_t count, Instant& now) const;

    I2cAdapterOptions options_;
    Random random_;
    std::array<I2cChip*, 128> chips_{};
    std::bitset<128> claimed_;
    Nanoseconds timeout_{1'000'000'000};
    unsigned retries_ = 0;
    Nanoseconds slower_{0};
    bool stuck_ = false;
    int failure_ = 0;
    unsigned failures_ = 0;
    unsigned transfers_ = 0;
    Instant busy_until_ = 0;
};

}  // namespace ringlet::testing
