// Places, pages, and asking until the chip has stored what it got.
#include <ringlet/i2c/at24.hpp>

#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <cerrno>

namespace ringlet::i2c {
namespace {

// LPI2C of i.MX says EIO for an address, too.
bool may_be_deaf(Error error) {
    return is_not_acknowledged(error) || error == Error::kernel(EIO);
}

}  // namespace

At24::At24(Bus& bus, std::uint8_t address, At24Model model, At24Limits limits)
    : bus_(&bus), address_(address), model_(model), limits_(limits) {
    RINGLET_ASSERT(model.address_bytes == 1 || model.address_bytes == 2);
    RINGLET_ASSERT(model.page_bytes > 0 && model.page_bytes <= page_bytes_max);
    RINGLET_ASSERT(limits.read_bytes > 0 && limits.read_bytes <= message_bytes_max);
}

bool At24::is_inside(std::uint32_t offset, std::size_t size) const {
    return offset <= model_.bytes && size <= model_.bytes - offset;
}

At24::Place At24::place(std::uint32_t offset) const {
    const unsigned bits = 8u * model_.address_bytes;
    const auto low = static_cast<std::byte>(offset & 0xff);
    const auto high = static_cast<std::byte>(offset >> 8 & 0xff);
    Place place{.chip = static_cast<std::uint8_t>(address_ + (offset >> bits)),
                .bytes = {low},
                .size = model_.address_bytes};
    if (model_.address_bytes == 2) place.bytes = {high, low};
    return place;
}

// How much of `size` bytes from `offset` lies before the next multiple of `step`.
std::size_t At24::until_boundary(std::uint32_t offset, std::size_t step, std::size_t size) const {
    return std::min(size, step - offset % step);
}

// A transfer, begun anew while the chip is deaf. The time for that begins when it is first found
// deaf, not with the wait in the bus's line; and it is looked at before a transfer, so that one
// whose answer was long on its way is not the last.
Task<void> At24::exchange(std::uint8_t chip, std::span<const std::byte> out,
                          std::span<std::byte> into) {
    Deadline limit = Deadline::none();
    for (;;) {
        const bool last = limit.has_passed();
        Message messages[] = {Message::write(chip, out), Message::read(chip, into)};
        const std::size_t count = into.empty() ? 1 : 2;
        const auto done = co_await attempt(bus_->transfer(std::span(messages).first(count)));
        if (done) co_return;
        const Error why = done.error();
        if (last || !may_be_deaf(why)) co_await fail(why);
        if (limit.at() == never) limit = Deadline::after(limits_.write_time);
        co_await sleep(limits_.poll_interval);
    }
}

Task<void> At24::read(std::uint32_t offset, std::span<std::byte> into) {
    if (!is_inside(offset, into.size())) {
        co_await fail(Error(std::errc::invalid_argument, Domain::runtime));
    }
    const std::size_t block = std::size_t{1} << (8 * model_.address_bytes);
    while (!into.empty()) {
        const std::size_t wanted = std::min<std::size_t>(into.size(), limits_.read_bytes);
        const std::size_t count = until_boundary(offset, block, wanted);
        const Place from = place(offset);
        co_await exchange(from.chip, from.get(), into.first(count));
        into = into.subspan(count);
        offset += static_cast<std::uint32_t>(count);
    }
}

Task<void> At24::write(std::uint32_t offset, std::span<const std::byte> from) {
    if (!is_inside(offset, from.size())) {
        co_await fail(Error(std::errc::invalid_argument, Domain::runtime));
    }
    std::array<std::byte, 2 + page_bytes_max> page;
    while (!from.empty()) {
        const std::size_t count = until_boundary(offset, model_.page_bytes, from.size());
        const Place to = place(offset);
        const auto after_place = std::ranges::copy(to.get(), page.begin()).out;
        std::ranges::copy(from.first(count), after_place);
        co_await exchange(to.chip, std::span(page).first(to.size + count), {});
        // Once it acknowledges again, the page is stored. To set its place changes nothing.
        co_await exchange(to.chip, to.get(), {});
        from = from.subspan(count);
        offset += static_cast<std::uint32_t>(count);
    }
}

}  // namespace ringlet::i2c
