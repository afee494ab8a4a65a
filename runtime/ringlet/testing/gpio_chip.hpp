// GpioChip: a simulated GPIO chip behind /dev/gpiochipN, whose wires a test holds.
//
//   simulation.world().make_folder("/dev");
//   GpioChip chip(simulation.world(), "/dev/gpiochip0", {.label = "lab", .lines = 8});
//   chip.drive(3, true);           // a voltage from outside; an edge, if it was low
//   chip.level(1);                 // what is on the wire of an output
//
// It answers as the kernel's chardev does, uAPI v2: requests of lines, values, configurations,
// edges with times and numbers, debounce, bias, open drain and source. A request keeps a bounded
// number of events; when one more comes, the oldest is lost.
//
// Levels are the wire's; active_low is the program's affair. What nobody drives is what the bias
// says, else low; an open drain that lets go is what others drive, else what the bias says.
#pragma once

#include <ringlet/testing/character_device.hpp>

#include <linux/gpio.h>

#include <array>
#include <vector>

namespace ringlet::testing {

class GpioChip;

// The lines that one open descriptor holds.
class GpioRequest final : public CharacterDevice {
public:
    static constexpr std::size_t events_max = 1024;

    explicit GpioRequest(GpioChip& chip);

    // Of the chip's requests. 0, or a negative errno.
    int begin(const ::gpio_v2_line_request& request);
    bool is_free() const { return count_ == 0; }
    void push(unsigned offset, bool rising, Instant when);

    int read(OpenDevice& file, std::span<std::byte> out) override;
    int control(OpenDevice& file, unsigned long request, std::uintptr_t argument) override;
    unsigned ready(const OpenDevice&) const override { return held_ > 0 ? POLLIN | POLLRDNORM : 0; }
    void closed(OpenDevice&) override { end(); }
    std::size_t grain() const override { return sizeof(::gpio_v2_line_event); }
    // It was not handed out after all.
    void end();

private:
    int configure(const ::gpio_v2_line_config& config);
    int get(::gpio_v2_line_values& values);
    int set(const ::gpio_v2_line_values& values);

    GpioChip& chip_;
    std::array<unsigned, GPIO_V2_LINES_MAX> offsets_{};
    unsigned count_ = 0;  // 0: nobody has it
    std::array<std::uint32_t, GPIO_V2_LINES_MAX> line_seqnos_{};
    std::uint32_t seqno_ = 0;
    // A ring of events: `held_` of them, from `first_` on, at most `capacity_`.
    std::vector<::gpio_v2_line_event> events_;
    std::size_t first_ = 0;
    std::size_t held_ = 0;
    std::size_t capacity_ = 0;
};

struct GpioChipOptions {
    const char* label = "lab";
    unsigned lines = 8;         // up to GpioChip::lines_max
    bool interrupts = true;     // false: no edges
    Nanoseconds access_time{0};  // of each request: an expander on a bus
};

class GpioChip final : public CharacterDevice {
public:
    static constexpr unsigned lines_max = 64;
    static constexpr unsigned requests_max = 4;  // at once; one more: ENOMEM

    // Allocates. The label outlives it.
    GpioChip(World& world, const char* path, const GpioChipOptions& options = {});
    ~GpioChip();

    // ---- the test's ----
    // Pulls the plug, also of the lines that somebody holds: whoever uses them, or waits for an
    // edge, gets ENODEV, as of Linux 6.6. (Before that, who waits is not woken.)
    void unplug();
    // A voltage from outside, until release(). An edge is told to who has asked for it.
    void drive(unsigned line, bool high);
    void release(unsigned line);
    bool level(unsigned line) const;
    // The next event comes before the one in front of it, if that was not read: as may happen in
    // the kernel to edges of two lines.
    void let_overtake() { overtakes_ = true; }
    // Some driver of the kernel has it: EBUSY.
    void claim(unsigned line) { wires_[line].used_by_kernel = true; }
    bool is_requested(unsigned line) const { return wires_[line].owner != nullptr; }
    bool is_output(unsigned line) const { return has(line, GPIO_V2_LINE_FLAG_OUTPUT); }

    // ---- the program's ----
    int control(OpenDevice& file, unsigned long request, std::uintptr_t argument) override;

private:
    friend class GpioRequest;

    struct Wire {
        GpioChip* chip = nullptr;
        unsigned offset = 0;
        GpioRequest* owner = nullptr;
        bool used_by_kernel = false;
        std::array<char, GPIO_MAX_NAME_SIZE> consumer{};
        std::uint64_t flags = 0;
        Nanoseconds debounce{0};
        bool output = false;     // the level that the program wants
        bool is_driven = false;  // from outside
        bool driven = false;
        bool seen = false;       // the level after debouncing
        bool last = false;       // the level, to know a change by
        Instant changed_at = 0;
    };

    bool is_used(unsigned line) const { return is_requested(line) || wires_[line].used_by_kernel; }
    bool has(unsigned line, std::uint64_t flag) const { return (wires_[line].flags & flag) != 0; }
    int request_lines(::gpio_v2_line_request& request);
    int describe(::gpio_v2_line_info& info) const;
    void set_up(Wire& wire, std::uint64_t flags, Nanoseconds debounce);
    void update(Wire& wire);
    void tell(Wire& wire);
    bool is_active(const Wire& wire) const;
    static void settle(void* wire);

    GpioChipOptions options_;
    std::array<Wire, lines_max> wires_{};
    bool overtakes_ = false;
    std::array<GpioRequest, requests_max> requests_;
};

}  // namespace ringlet::testing
