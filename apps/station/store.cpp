#include <store.hpp>

#include <ringlet/io/bytes.hpp>
#include <ringlet/io/file_system.hpp>
#include <ringlet/task/attempt.hpp>

#include <algorithm>
#include <cstring>

namespace station {

using ringlet::Task;

namespace {

constexpr std::uint32_t mark_magic = 0x4b4d4c52;   // "RLMK"
constexpr std::uint32_t batch_magic = 0x54424c52;  // "RLBT"
// Of the two marks: no write of one touches the other's sector.
constexpr std::size_t mark_distance = 4_KiB;

// CRC-32 of IEEE 802.3, as in ISO 3309.
constexpr auto crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320 : 0);
        }
        table[i] = value;
    }
    return table;
}();

std::uint32_t crc(std::span<const std::byte> bytes) {
    std::uint32_t value = ~0u;
    for (const std::byte each : bytes) {
        value = crc_table[(value ^ static_cast<std::uint32_t>(each)) & 0xff] ^ (value >> 8);
    }
    return ~value;
}

const char* words_for(ringlet::Error error) {
    if (error == is_no_file) return "not a regular file";
    if (error == is_no_store) return "there is something in the file, which is no store";
    if (error == has_other_slots) return "the store has another number of batches";
    return nullptr;
}
const ringlet::DomainWords words(ringlet::Domain::app, words_for);

// Of an object behind its first two members, which are magic and checksum; and of what follows it.
template <class T>
std::uint32_t crc_of(std::span<const std::byte> record) {
    static_assert(std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>);
    return crc(record.subspan(offsetof(T, sequence)));
}

}  // namespace

// Both in the machine's own byte order: the file is this machine's.
struct Store::Mark {
    std::uint32_t magic = mark_magic;
    std::uint32_t checksum = 0;
    std::uint64_t sequence = 0;
};

struct Store::Header {
    std::uint32_t magic = batch_magic;
    std::uint32_t checksum = 0;
    std::uint64_t sequence = 0;
    std::uint32_t slots = 0;
    std::uint32_t size = 0;  // of the text behind it
};

std::uint64_t Store::offset_of(std::uint64_t sequence) const {
    return (1 + sequence % slots_) * slot_bytes;
}

std::uint64_t Store::first_waiting() const {
    const std::uint64_t oldest_kept = next_ > slots_ ? next_ - slots_ : 1;
    return std::max(sent_ + 1, oldest_kept);
}

std::optional<std::uint64_t> Store::oldest() const {
    const std::uint64_t first = first_waiting();
    return first < next_ ? std::optional(first) : std::nullopt;
}

Task<void> Store::open(const char* path, std::uint32_t slots) {
    RINGLET_ASSERT(!file_ && slots >= store_slots_min && slots <= store_slots_max);
    using ringlet::OpenMode;
    file_.emplace(co_await ringlet::File::open(path, OpenMode::read_write | OpenMode::create));
    const ringlet::FileStatus status = co_await file_->status();
    if (status.kind != ringlet::FileKind::regular) co_await ringlet::fail(is_no_file);
    co_await ringlet::sync_name(path);  // if it was made
    slots_ = slots;
    const Marks marks = co_await read_marks();
    const Slots found = co_await read_slots(status.bytes);
    if (found.have_batches) {
        co_return co_await file_->sync_data();  // of a process that was killed before it did
    }
    const bool is_strange = marks.are_strange || (!marks.are_there && found.are_strange);
    if (is_strange) co_await ringlet::fail(is_no_store);
}

// As many bytes as the file has there.
Task<std::size_t> Store::fill(std::uint64_t offset, std::span<std::byte> into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const std::size_t count = co_await file_->read_at(offset + filled, into.subspan(filled));
        if (count == 0) break;
        filled += count;
    }
    co_return filled;
}

Task<Store::Marks> Store::read_marks() {
    const std::size_t count = co_await fill(0, slot_);
    const std::span block = std::span(slot_).first(count);
    const auto is_something = [](std::byte each) { return each != std::byte(); };
    Marks found{.are_strange = std::ranges::any_of(block, is_something)};
    for (const std::size_t offset : {std::size_t{0}, mark_distance}) {
        if (count < offset + sizeof(Mark)) break;
        const std::span place = block.subspan(offset, sizeof(Mark));
        Mark mark;
        std::memcpy(&mark, place.data(), sizeof mark);
        if (mark.magic != mark_magic || mark.checksum != crc_of<Mark>(place)) continue;
        found = {.are_there = true};
        sent_ = std::max(sent_, mark.sequence);
    }
    co_return found;
}

// The text of a whole batch.
std::optional<std::string_view> Store::check(std::span<const std::byte> slot) const {
    Header header;
    if (slot.size() < sizeof header) return std::nullopt;
    std::memcpy(&header, slot.data(), sizeof header);
    if (header.magic != batch_magic || header.size > slot.size() - sizeof header) {
        return std::nullopt;
    }
    const std::span record = slot.first(sizeof header + header.size);
    if (header.checksum != crc_of<Header>(record)) return std::nullopt;
    return ringlet::text_of(record.subspan(sizeof header));
}

// A slot that cannot be read is like one that was never whole: the others are worth it.
Task<Store::Slots> Store::read_slots(std::uint64_t bytes) {
    next_ = sent_ + 1;
    Slots found;
    for (std::uint64_t offset = slot_bytes; offset < bytes; offset += slot_bytes) {
        (void)co_await ringlet::attempt(look_at(offset, found));
    }
    if (found.other_slots == 0) co_await go_past_unreadable(found);
    if (found.other_slots != 0) {
        slots_ = found.other_slots;
        co_await ringlet::fail(has_other_slots);
    }
    co_return found;
}

// The newest batch may be in a slot that cannot be read: its number is not used again, and it is
// not overwritten before read() has tried.
Task<void> Store::go_past_unreadable(Slots& found) {
    for (std::uint32_t i = 0; i < slots_; ++i) {
        const std::uint64_t next = next_;
        const auto looked = co_await ringlet::attempt(look_at(offset_of(next), found));
        if (!looked) take_number();
        else if (next_ == next) break;
    }
}

// Fails if the slot cannot be read.
Task<void> Store::look_at(std::uint64_t offset, Slots& found) {
    const std::size_t count = co_await fill(offset, slot_);
    Header header;
    std::memcpy(&header, slot_.data(), sizeof header);
    if (!check(std::span(slot_).first(count))) {
        // What was cut off in the middle has its first bytes, or still has none.
        const bool is_begun = count >= sizeof header && header.magic != 0;
        found.are_strange |= is_begun && header.magic != batch_magic;
        co_return;
    }
    if (header.slots != slots_) {
        found.other_slots = header.slots;
        co_return;
    }
    found.have_batches = true;
    next_ = std::max(next_, header.sequence + 1);
}

// When all slots are waiting, the oldest loses its place.
void Store::take_number() {
    if (waiting() == slots_) ++overwritten_;
    ++next_;
}

Task<void> Store::append(std::string_view batch) {
    Header header{.sequence = next_,
                  .slots = slots_,
                  .size = static_cast<std::uint32_t>(batch.size())};
    RINGLET_ASSERT(sizeof header + batch.size() <= slot_bytes);
    const std::span record = std::span(slot_).first(sizeof header + batch.size());
    std::memcpy(record.data() + sizeof header, batch.data(), batch.size());
    std::memcpy(record.data(), &header, sizeof header);
    header.checksum = crc_of<Header>(record);
    std::memcpy(record.data(), &header, sizeof header);
    co_await file_->write_all_at(offset_of(next_), record);
    co_await file_->sync_data();
    take_number();
}

Task<std::optional<std::string_view>> Store::read(std::uint64_t sequence,
                                                  std::span<std::byte> into) {
    RINGLET_ASSERT(into.size() == slot_bytes);
    const std::size_t count = co_await fill(offset_of(sequence), into);
    const auto text = check(into.first(count));
    Header header;
    std::memcpy(&header, into.data(), sizeof header);
    if (!text || header.sequence != sequence) co_return std::nullopt;
    co_return text;
}

Task<void> Store::mark_sent(std::uint64_t sequence) {
    sent_ = std::max(sent_, sequence);
    Mark mark{.sequence = sent_};
    mark.checksum = crc_of<Mark>(std::as_bytes(std::span(&mark, 1)));
    const auto bytes = std::as_bytes(std::span(&mark, 1));
    co_await file_->write_all_at(sent_ % 2 * mark_distance, bytes);
}

}  // namespace station
