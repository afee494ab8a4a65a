// At24: an EEPROM of the family 24C01 to 24C512, of any maker.
//
//   i2c::At24 memory(bus, 0x50, i2c::at24c32);
//   co_await memory.write(0, bytes_of("serial 4711"));
//
// A write goes page by page, since the chip's place wraps around at a page's end. After each the
// chip is deaf for some milliseconds while it stores; it is asked until it acknowledges, and
// meanwhile the bus is free for others.
//
// Source: Microchip, AT24C32 data sheet (DS20006346).
#pragma once

#include <ringlet/i2c/bus.hpp>

namespace ringlet::i2c {

struct At24Model {
    std::uint32_t bytes;
    std::uint16_t page_bytes;    // up to At24::page_bytes_max
    std::uint8_t address_bytes;  // of a place in it: 1 or 2; what does not fit goes into the chip's
                                 // own address
};
inline constexpr At24Model at24c02{256, 8, 1};
inline constexpr At24Model at24c04{512, 16, 1};
inline constexpr At24Model at24c08{1024, 16, 1};
inline constexpr At24Model at24c16{2048, 16, 1};
inline constexpr At24Model at24c32{4096, 32, 2};
inline constexpr At24Model at24c64{8192, 32, 2};
inline constexpr At24Model at24c128{16'384, 64, 2};
inline constexpr At24Model at24c256{32'768, 64, 2};
inline constexpr At24Model at24c512{65'536, 128, 2};

struct At24Limits {
    // How long the chip may be deaf: twice what data sheets say.
    std::chrono::milliseconds write_time{10};
    // From one question to the next.
    std::chrono::microseconds poll_interval{500};
    // Read in one transfer, at most, so that others get their turn: 23 ms at 100 kHz.
    std::uint16_t read_bytes = 256;
};

class At24 {
public:
    static constexpr std::size_t page_bytes_max = 128;

    // The bus outlives it. Nothing is sent yet.
    At24(Bus& bus, std::uint8_t address, At24Model model, At24Limits limits = {});

    // Reads from `offset` until `into` is full.
    //
    // Errors: as of the bus, not acknowledged and io_error only after At24Limits::write_time;
    // invalid_argument (Domain::runtime) beyond the chip's end.
    // Cancellation: part of `into` was filled.
    Task<void> read(std::uint32_t offset, std::span<std::byte> into);

    // Writes, and returns when all is stored.
    //
    // Errors: as read's; then some pages from the first on may have been written.
    // Cancellation: the same, each page wholly or not at all. The chip may be deaf for a while; the
    // next call waits for it.
    Task<void> write(std::uint32_t offset, std::span<const std::byte> from);

    std::uint32_t size() const { return model_.bytes; }

private:
    struct Place {
        std::uint8_t chip;                  // its address for this part
        std::array<std::byte, 2> bytes;     // the place in it
        std::uint8_t size;
        std::span<const std::byte> get() const { return std::span(bytes).first(size); }
    };
    bool is_inside(std::uint32_t offset, std::size_t size) const;
    Place place(std::uint32_t offset) const;
    std::size_t until_boundary(std::uint32_t offset, std::size_t step, std::size_t size) const;
    Task<void> exchange(std::uint8_t chip, std::span<const std::byte> out,
                        std::span<std::byte> into);

    Bus* bus_;
    std::uint8_t address_;
    At24Model model_;
    At24Limits limits_;
};

}  // namespace ringlet::i2c
