// i2c-dev's requests, and what a transfer does to the chips.
#include <ringlet/testing/i2c_adapter.hpp>

#include <ringlet/testing/world.hpp>

#include <linux/i2c-dev.h>

#include <chrono>

namespace ringlet::testing {
namespace {

using namespace std::chrono_literals;

::i2c_msg message(std::uint8_t address, unsigned flags, std::span<std::uint8_t> bytes) {
    return {.addr = address,
            .flags = static_cast<__u16>(flags),
            .len = static_cast<__u16>(bytes.size()),
            .buf = bytes.data()};
}

// What an adapter must be able to do for a call of SMBus.
unsigned long function_of(const i2c_smbus_ioctl_data& call) {
    const bool reads = call.read_write == I2C_SMBUS_READ;
    switch (call.size) {
        case I2C_SMBUS_QUICK: return I2C_FUNC_SMBUS_QUICK;
        case I2C_SMBUS_BYTE: return reads ? I2C_FUNC_SMBUS_READ_BYTE : I2C_FUNC_SMBUS_WRITE_BYTE;
        case I2C_SMBUS_BYTE_DATA:
            return reads ? I2C_FUNC_SMBUS_READ_BYTE_DATA : I2C_FUNC_SMBUS_WRITE_BYTE_DATA;
        case I2C_SMBUS_WORD_DATA:
            return reads ? I2C_FUNC_SMBUS_READ_WORD_DATA : I2C_FUNC_SMBUS_WRITE_WORD_DATA;
        case I2C_SMBUS_PROC_CALL: return I2C_FUNC_SMBUS_PROC_CALL;
        case I2C_SMBUS_BLOCK_DATA:
            return reads ? I2C_FUNC_SMBUS_READ_BLOCK_DATA : I2C_FUNC_SMBUS_WRITE_BLOCK_DATA;
        case I2C_SMBUS_I2C_BLOCK_DATA:
            return reads ? I2C_FUNC_SMBUS_READ_I2C_BLOCK : I2C_FUNC_SMBUS_WRITE_I2C_BLOCK;
        default: return ~0ul;
    }
}

}  // namespace

I2cAdapter::I2cAdapter(World& world, const char* path, const I2cAdapterOptions& options)
    : CharacterDevice(world, path), options_(options), random_(options.seed) {}

bool I2cAdapter::is_idle() const {
    return world().now() >= busy_until_;
}

int I2cAdapter::control(OpenDevice& file, unsigned long request, std::uintptr_t argument) {
    switch (request) {
        case I2C_FUNCS: pointed_at<unsigned long>(argument) = options_.functions; return 0;
        case I2C_TIMEOUT: timeout_ = 10ms * argument; return 0;
        case I2C_RETRIES: retries_ = static_cast<unsigned>(argument); return 0;
        case I2C_SLAVE:
            if (argument > 0x7f) return -EINVAL;
            if (claimed_.test(argument)) return -EBUSY;
            file.note = argument;
            return 0;
        case I2C_RDWR: return transfer_messages(argument);
        case I2C_SMBUS: return transfer_smbus(static_cast<std::uint8_t>(file.note), argument);
        default: return -ENOTTY;
    }
}

int I2cAdapter::transfer_messages(std::uintptr_t argument) {
    const auto& all = pointed_at<i2c_rdwr_ioctl_data>(argument);
    if (all.msgs == nullptr || all.nmsgs == 0 || all.nmsgs > I2C_RDWR_IOCTL_MAX_MSGS) {
        return -EINVAL;
    }
    if ((options_.functions & I2C_FUNC_I2C) == 0) return -EOPNOTSUPP;
    const Messages messages(all.msgs, all.nmsgs);
    for (const ::i2c_msg& each : messages) {
        if (each.len > 8192) return -EINVAL;
    }
    return transfer(messages);
}

// As the kernel's i2c_smbus_xfer_emulated() makes a call of messages.
int I2cAdapter::transfer_smbus(std::uint8_t address, std::uintptr_t argument) {
    auto& call = pointed_at<i2c_smbus_ioctl_data>(argument);
    const unsigned long function = function_of(call);
    if ((options_.functions & function) != function) return -EOPNOTSUPP;
    const bool reads = call.read_write == I2C_SMBUS_READ;
    if (call.data == nullptr && call.size != I2C_SMBUS_QUICK) return -EINVAL;
    if (call.size == I2C_SMBUS_QUICK) {
        const ::i2c_msg only = message(address, reads ? I2C_M_RD : 0, {});
        return std::min(transfer(std::span(&only, 1)), 0);
    }
    ::i2c_smbus_data& data = *call.data;
    std::array<std::uint8_t, I2C_SMBUS_BLOCK_MAX + 2> out{call.command};
    std::size_t out_size = call.size == I2C_SMBUS_BYTE && reads ? 0 : 1;
    std::span<std::uint8_t> in;
    if (reads && call.size == I2C_SMBUS_BLOCK_DATA) return read_block(address, call.command, data);
    switch (call.size) {
        case I2C_SMBUS_BYTE:
            if (reads) in = {&data.byte, 1};
            break;
        case I2C_SMBUS_BYTE_DATA:
            if (reads) in = {&data.byte, 1};
            else out[out_size++] = data.byte;
            break;
        case I2C_SMBUS_WORD_DATA:
        case I2C_SMBUS_PROC_CALL:
            if (!reads) {
                out[out_size++] = static_cast<std::uint8_t>(data.word & 0xff);
                out[out_size++] = static_cast<std::uint8_t>(data.word >> 8);
            }
            if (reads || call.size == I2C_SMBUS_PROC_CALL) in = {data.block, 2};
            break;
        default:  // blocks
            if (data.block[0] < 1 || data.block[0] > I2C_SMBUS_BLOCK_MAX) return -EINVAL;
            if (reads) {
                in = {data.block + 1, data.block[0]};
                break;
            }
            if (call.size == I2C_SMBUS_BLOCK_DATA) out[out_size++] = data.block[0];
            std::copy_n(data.block + 1, data.block[0], out.begin() + out_size);
            out_size += data.block[0];
    }
    std::array<::i2c_msg, 2> messages{};
    std::size_t count = 0;
    if (out_size > 0) messages[count++] = message(address, 0, std::span(out).first(out_size));
    if (!in.empty()) messages[count++] = message(address, I2C_M_RD, in);
    const int done = transfer(std::span(messages).first(count));
    const bool is_word = call.size == I2C_SMBUS_WORD_DATA || call.size == I2C_SMBUS_PROC_CALL;
    if (done >= 0 && is_word && !in.empty()) {
        data.word = static_cast<__u16>(data.block[0] | data.block[1] << 8);
    }
    return std::min(done, 0);
}

// The size comes first, and says how much follows.
int I2cAdapter::read_block(std::uint8_t address, std::uint8_t command, ::i2c_smbus_data& data) {
    std::array<std::uint8_t, 1> out{command};
    const ::i2c_msg messages[] = {
        message(address, 0, out),
        message(address, I2C_M_RD | I2C_M_RECV_LEN, {data.block, I2C_SMBUS_BLOCK_MAX + 1})};
    return std::min(transfer(messages), 0);
}

// The kernel tries again after EAGAIN, until the time limit has passed.
int I2cAdapter::transfer(Messages messages) {
    const Instant begin = std::max(world().now(), busy_until_);
    Instant now = begin;
    int result = -EAGAIN;
    for (unsigned tries = 0; tries <= retries_ && result == -EAGAIN; ++tries) {
        result = attempt(messages, now);
        if (now > later(begin, timeout_)) break;
    }
    busy_until_ = now;
    world().take_time(Nanoseconds(now - world().now()));
    return result;
}

int I2cAdapter::attempt(Messages messages, Instant& now) {
    ++transfers_;
    const Instant limit = later(now, timeout_);
    int result = draw_failure();
    if (result == 0) {
        now = later(now, slower_);
        if (now < limit) result = drive(messages, now);
        else result = -ETIMEDOUT;
    } else {
        pass_bytes(1, now);
    }
    if (result == -ETIMEDOUT) now = limit;
    return result;
}

int I2cAdapter::draw_failure() {
    if (stuck_) return -ETIMEDOUT;
    if (failures_ > 0) {
        --failures_;
        return -failure_;
    }
    const auto happens = [&](unsigned percent) {
        return percent > 0 && random_.between(1, 100) <= percent;
    };
    if (happens(options_.noise)) return -options_.not_acknowledged;
    if (happens(options_.lost)) return -EAGAIN;
    return happens(options_.stretched) ? -ETIMEDOUT : 0;
}

int I2cAdapter::drive(Messages messages, Instant& now) {
    I2cChip* last = nullptr;
    int result = static_cast<int>(messages.size());
    for (const ::i2c_msg& each : messages) {
        I2cChip* const chip = each.addr < chips_.size() ? chips_[each.addr] : nullptr;
        pass_bytes(1, now);
        const bool reads = (each.flags & I2C_M_RD) != 0;
        if (chip == nullptr || !chip->start(reads, now)) {
            result = -options_.not_acknowledged;
            break;
        }
        last = chip;
        if (!drive_one(each, *chip, now)) {
            result = -EIO;
            break;
        }
    }
    if (last != nullptr) last->stop(now);
    return result;
}

bool I2cAdapter::drive_one(const ::i2c_msg& message, I2cChip& chip, Instant& now) {
    std::size_t size = message.len;
    for (std::size_t i = 0; i < size; ++i) {
        pass_bytes(1, now);
        if ((message.flags & I2C_M_RD) == 0) {
            if (!chip.write(static_cast<std::byte>(message.buf[i]))) return false;
            continue;
        }
        message.buf[i] = static_cast<std::uint8_t>(chip.read());
        if (i > 0 || (message.flags & I2C_M_RECV_LEN) == 0) continue;
        if (message.buf[0] > I2C_SMBUS_BLOCK_MAX) return false;
        size = message.buf[0] + std::size_t{1};
    }
    return true;
}

// Eight bits and their acknowledgement.
void I2cAdapter::pass_bytes(std::size_t count, Instant& now) const {
    const auto bits = static_cast<std::int64_t>(9 * count);
    now = later(now, Nanoseconds(bits * 1'000'000'000 / options_.bits_per_second));
}

}  // namespace ringlet::testing
