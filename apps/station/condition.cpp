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

void Condition::note_ill(Part part, ringlet::Error why) {
    if (std::exchange(ill_[static_cast<std::size_t>(part)], true)) return;
    ringlet::log::warning("%s: %s; trying again", name(part), ringlet::text(why));
    changed_.set();
}

void Condition::note_well(Part part) {
    if (!std::exchange(ill_[static_cast<std::size_t>(part)], false)) return;
    ringlet::log::info("%s: well again", name(part));
    changed_.set();
}

bool Condition::all_well() const {
    return std::ranges::none_of(ill_, [](bool ill) { return ill; });
}

void Condition::append_to(ringlet::TextBuffer& text) const {
    if (all_well()) return text.append("all well");
    const char* before = "ill: ";
    for (std::size_t i = 0; i < parts_count; ++i) {
        if (!ill_[i]) continue;
        text.append(before);
        text.append(name(static_cast<Part>(i)));
        before = ", ";
    }
}

}  // namespace station
