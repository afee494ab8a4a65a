// What a simulated world is made of. Everything in it is sized here, when it is built.
#pragma once

#include <ringlet/base/clock.hpp>
#include <ringlet/base/units.hpp>
#include <ringlet/testing/fault_rates.hpp>

#include <cstddef>
#include <cstdint>

namespace ringlet::testing {

struct SimulationOptions {
    // 0: completions that are ready together are posted in the order of submission. Any other
    // seed draws their order. The same seed gives the same run, to the byte.
    std::uint64_t seed = 0;
    // Virtual time from the moment that an operation is done to its completion; drawn evenly
    // between the two. World::set_latency() sets it for one opcode.
    Nanoseconds latency_min{0};
    Nanoseconds latency_max{0};
    // How long a job of offload() runs, in virtual time; drawn evenly between the two. Jobs that
    // end at the same instant end in the order in which they began.
    Nanoseconds job_time_min{0};
    Nanoseconds job_time_max{0};
    // Reads, receives, writes and sends move a random part of what they could, at least one byte.
    bool short_transfers = false;
    // What goes wrong, and how often. World::fail_next() and fail_operation() order single faults.
    FaultRates faults{};
    // For how long FaultRates::late_cancels and cancelled_but_done hold an operation up.
    Nanoseconds cancel_span_max{1'000'000};
    // What the network does to UDP's datagrams, each in percent of them, drawn for each.
    unsigned datagram_loss = 0;
    unsigned datagram_duplication = 0;  // it comes twice
    unsigned datagram_reordering = 0;   // it is held back, so that later ones overtake it
    Nanoseconds datagram_delay_max = Nanoseconds(5'000'000);  // for so long at most

    unsigned peers = 16;                // Simulation::add_peer(); one more panics
    unsigned descriptors = 256;         // one more: EMFILE
    unsigned pipes = 16;                // one more: ENFILE
    unsigned sockets = 64;              // streams; one more: ENFILE
    unsigned datagram_sockets = 32;     // one more: ENFILE
    unsigned datagrams = 128;           // in all queues; one more is lost, or waits if Unix'
    unsigned signal_descriptors = 4;    // one more: ENFILE
    unsigned can_sockets = 8;           // one more: ENFILE
    unsigned can_frames = 64;           // waiting on one of them; one more: lost, and counted
    unsigned terminals = 4;             // World::make_terminal()
    std::size_t terminal_bytes = 16_KiB;  // fed to one and not yet read; captured of what it wrote
    unsigned open_devices = 16;         // of all CharacterDevices; one more: ENFILE
    unsigned event_descriptors = 4;     // one more: ENFILE
    std::size_t socket_bytes = 64_KiB;  // what a socket holds received
    unsigned files = 64;                // files and folders; one more: ENOSPC
    std::size_t file_bytes = 64_KiB;    // the longest file; a byte more: EFBIG
    std::size_t disk_bytes = 4_MiB;     // all files together; a byte more: ENOSPC
    unsigned unsynced_changes = 128;    // of names; two more: the older half goes to the disk
    std::size_t input_bytes = 64_KiB;   // fed to standard input and not yet read
    std::size_t output_bytes = 64_KiB;  // captured of each standard output; a byte more: ENOSPC
    int terminal_columns = 0;           // of the terminal behind 0, 1 and 2; 0: there is none
};

}  // namespace ringlet::testing
