// Store: batches that are not sent yet, in a file that survives crashes and power cuts.
//
//   | marks | slot 0 | slot 1 | ... | slot n-1 |      each of slot_bytes
//
//   1 append(): batch number s is written to slot s mod n, and synced: it is kept
//   2 read(): the oldest that is kept and not sent
//   3 mark_sent(): noted in one of two marks by turns
//
// The file never grows beyond its slots. When all are full, a new batch takes the place of the
// oldest. What was cut off in the middle is known by its checksum, and counts as not there. A mark
// is not synced by itself: after a power cut, a batch may be read a second time.
#pragma once

#include <window.hpp>

#include <ringlet/io/file.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace station {

inline constexpr std::uint32_t store_slots_min = 2;
inline constexpr std::uint32_t store_slots_max = 65'536;

// Why a file cannot be the store.
inline constexpr ringlet::Error is_no_file{std::errc::invalid_argument, ringlet::Domain::app, 1};
inline constexpr ringlet::Error is_no_store{std::errc::invalid_argument, ringlet::Domain::app, 2};
inline constexpr ringlet::Error has_other_slots{std::errc::invalid_argument, ringlet::Domain::app,
                                                3};

class Store {
public:
    static constexpr std::size_t slot_bytes = 8_KiB;

    // Opens the file, or makes it, and looks at all that is in it. Once, before all else. A file in
    // which there is something else than a store is left as it is. A slot that cannot be read is
    // passed over; read() tries again. Where it may be the newest, its number counts as used. What
    // is found is synced: who wrote it may have been killed.
    //
    // Errors: the kernel's; is_no_file, is_no_store; has_other_slots: slots() tells how many.
    // Cancellation: nothing is left behind but an empty file.
    ringlet::Task<void> open(const char* path, std::uint32_t slots);

    // Keeps the batch whose number is next_sequence(). One at a time.
    //
    // Errors: the kernel's; it is not kept then, and may be tried again.
    // Cancellation: kept or not: next_sequence() tells.
    ringlet::Task<void> append(std::string_view batch);

    // The number of the oldest batch that may be read; none: all are sent.
    std::optional<std::uint64_t> oldest() const;

    // Reads a batch into `into`, of slot_bytes, and gives its text. Nothing if it is not there any
    // more, or was never whole.
    //
    // Errors: the kernel's. Cancellation: nothing is left behind.
    ringlet::Task<std::optional<std::string_view>> read(std::uint64_t sequence,
                                                        std::span<std::byte> into);

    // All up to and with that number are sent. One at a time.
    //
    // Errors: the kernel's; noted nevertheless, until the end of the process.
    // Cancellation: as errors.
    ringlet::Task<void> mark_sent(std::uint64_t sequence);

    std::uint32_t slots() const { return slots_; }
    std::uint64_t next_sequence() const { return next_; }
    // How many wait to be sent.
    std::uint64_t waiting() const { return next_ - first_waiting(); }
    // Batches that lost their place before they were sent, from open() on.
    std::uint64_t overwritten() const { return overwritten_; }

private:
    struct Mark;
    struct Header;
    // What open() finds. Strange: something that no store would have there.
    struct Marks {
        bool are_there = false;
        bool are_strange = false;
    };
    struct Slots {
        bool have_batches = false;
        bool are_strange = false;
        std::uint32_t other_slots = 0;  // that a batch was written for
    };

    std::uint64_t offset_of(std::uint64_t sequence) const;
    std::uint64_t first_waiting() const;
    std::optional<std::string_view> check(std::span<const std::byte> slot) const;
    ringlet::Task<Marks> read_marks();
    ringlet::Task<Slots> read_slots(std::uint64_t bytes);
    ringlet::Task<void> go_past_unreadable(Slots& found);
    ringlet::Task<void> look_at(std::uint64_t offset, Slots& found);
    void take_number();
    ringlet::Task<std::size_t> fill(std::uint64_t offset, std::span<std::byte> into);

    std::optional<ringlet::File> file_;
    std::uint32_t slots_ = 0;
    std::uint64_t next_ = 1;
    std::uint64_t sent_ = 0;
    std::uint64_t overwritten_ = 0;
    std::array<std::byte, slot_bytes> slot_{};  // that is written
};

}  // namespace station
