#include <indicator.hpp>

#include <ringlet/base/log.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/gpio/lines.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/time/sleep.hpp>

namespace station {

using namespace std::chrono_literals;
using ringlet::attempt;
using ringlet::Task;

namespace {

struct Rhythm {
    ringlet::Nanoseconds on;
    ringlet::Nanoseconds off;
};
constexpr Rhythm when_well{100ms, 1900ms};
constexpr Rhythm when_ill{100ms, 100ms};

}  // namespace

void Indicator::spawn(ringlet::TaskGroup& group, ringlet::health::Service& service) {
    if (led_) group.spawn(&Indicator::flash_for_ever, std::ref(*this)).named("led");
    group.spawn(&Indicator::tell_for_ever, std::ref(*this), std::ref(service)).named("status");
}

Task<void> Indicator::flash_for_ever() {
    for (;;) {
        const auto ended = co_await attempt(flash());
        condition_.note_ill(Part::led,
                            ended ? ringlet::Error(std::errc::io_error) : ended.error());
        co_await ringlet::sleep(before_next_try);
    }
}

Task<void> Indicator::flash() {
    auto led = co_await ringlet::gpio::Lines::open_output(*led_, {.consumer = "station"});
    auto turn_off = [&led](ringlet::Outcome) { return led.set(0); };
    const auto show = [&]() -> Task<void> {
        for (;;) {
            const Rhythm rhythm = condition_.all_well() ? when_well : when_ill;
            co_await led.set(1);
            co_await ringlet::sleep(rhythm.on);
            co_await led.set(0);
            condition_.note_well(Part::led);
            co_await ringlet::sleep(rhythm.off);
        }
    };
    co_await ringlet::finally(show(), turn_off);
}

Task<void> Indicator::tell_for_ever(ringlet::health::Service& service) {
    for (;;) {
        condition_.changed().clear();
        ringlet::FixedText<128> words;
        condition_.append_to(words);
        const auto told = co_await attempt(service.status(words.view()));
        if (!told) ringlet::log::warning("service manager: %s", ringlet::text(told.error()));
        co_await condition_.changed().wait();
    }
}

}  // namespace station
