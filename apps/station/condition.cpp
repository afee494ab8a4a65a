#include <condition.hpp>

#include <ringlet/base/log.hpp>

#include <algorithm>

namespace station {

const char* name(Part part) {
    switch (part) {
        case Part::sensor: return "sensor";
        case Part::button: return "button";
        case Part::serial: return "serial";
        case Part::can: return "can";
        case Part::store: return "store";
        case Part::server: return "server";
        case Part::led: return "led";
    }
    return "";
}

namespace {

constexpr std::uint8_t bit_of(Use use) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(use));
}

}  // namespace

void Condition::note_ill(Part part, ringlet::Error why, Use use) {
    std::uint8_t& ill = ill_[static_cast<std::size_t>(part)];
    if (std::exchange(ill, static_cast<std::uint8_t>(ill | bit_of(use))) != 0) return;
    ringlet::log::warning("%s: %s; trying again", name(part), ringlet::text(why));
    changed_.set();
}

void Condition::note_well(Part part, Use use) {
    std::uint8_t& ill = ill_[static_cast<std::size_t>(part)];
    const bool was_ill = ill != 0;
    ill = static_cast<std::uint8_t>(ill & ~bit_of(use));
    if (!was_ill || ill != 0) return;
    ringlet::log::info("%s: well again", name(part));
    changed_.set();
}

bool Condition::all_well() const {
    return std::ranges::none_of(ill_, [](std::uint8_t ill) { return ill != 0; });
}

void Condition::append_to(ringlet::TextBuffer& text) const {
    if (all_well()) return text.append("all well");
    const char* before = "ill: ";
    for (std::size_t i = 0; i < parts_count; ++i) {
        if (ill_[i] == 0) continue;
        text.append(before);
        text.append(name(static_cast<Part>(i)));
        before = ", ";
    }
}

}  // namespace station
