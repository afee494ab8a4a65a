// Indicator: shows the condition to people: by an LED, and as the status of the service.
//
//   all well  one short flash every 2 s
//   ill       five flashes a second
//   hung      on, or off: nothing changes
#pragma once

#include <condition.hpp>

#include <ringlet/base/board_pin.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/health/service.hpp>

#include <optional>

namespace station {

class Indicator {
public:
    // Both outlive it.
    explicit Indicator(Condition& condition, const std::optional<ringlet::BoardPin>& led)
        : condition_(condition), led_(led) {}

    // Its tasks end by cancellation only. The service outlives them. At the end the LED is off, as
    // far as its chip allows.
    void spawn(ringlet::TaskGroup& group, ringlet::health::Service& service);

private:
    ringlet::Task<void> flash_for_ever();
    ringlet::Task<void> flash();
    ringlet::Task<void> tell_for_ever(ringlet::health::Service& service);

    Condition& condition_;
    const std::optional<ringlet::BoardPin>& led_;
};

}  // namespace station
