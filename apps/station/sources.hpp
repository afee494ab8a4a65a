// Sources: the tasks that read the devices, and pass on what they say.
//
//   sensor  --+
//   button  --+--> Queue<Reading>
//   serial  --+
//   can     --+
//
// Each opens its device and reads until an error. Then it lets the device go, and after a pause it
// opens it again: what was unplugged may come back. While the queue is full they wait; what then
// comes too much, the kernel drops and counts.
#pragma once

#include <condition.hpp>
#include <devices.hpp>
#include <window.hpp>

#include <ringlet/flow/task_group.hpp>
#include <ringlet/health/supervisor.hpp>
#include <ringlet/sync/queue.hpp>

namespace station {

inline constexpr std::size_t readings_max = 128;
using Readings = ringlet::Queue<Reading, readings_max>;

class Sources {
public:
    // All outlive it.
    Sources(const Settings& settings, const Devices& devices, Readings& readings,
            Condition& condition, Losses& losses)
        : settings_(settings),
          devices_(devices),
          readings_(readings),
          condition_(condition),
          losses_(losses) {}

    // A task for each device that there is; they end by cancellation only, and vote.
    void spawn(ringlet::TaskGroup& group, ringlet::health::Supervisor& supervisor);

private:
    using Voter = ringlet::health::Voter;
    using Read = ringlet::Task<void> (Sources::*)(Voter&);

    ringlet::Task<void> read_for_ever(ringlet::health::Supervisor& supervisor, Part part,
                                      Read read);
    ringlet::Task<void> read_sensor(Voter& vote);
    ringlet::Task<void> read_button(Voter& vote);
    ringlet::Task<void> read_serial(Voter& vote);
    ringlet::Task<void> read_can(Voter& vote);
    void show_alive(Voter& vote, Part part);

    const Settings& settings_;
    const Devices& devices_;
    Readings& readings_;
    Condition& condition_;
    Losses& losses_;
    std::array<char, 1024> line_storage_;
};

}  // namespace station
