// A runtime's limits as words of its build record, which tools/budgets/limits.py reads.
#pragma once

#include <ringlet/base/build_record.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/task/operations.hpp>
#include <ringlet/work/mailbox.hpp>
#include <ringlet/work/worker_pool.hpp>

#include <array>
#include <cstdint>

namespace ringlet {

// Limits in the order of its members, then what follows from them in this build. The tool knows
// the order by its own list.
constexpr auto limits_words(const Limits& limits, std::size_t runtime_bytes) {
    std::array<std::uint32_t, 2 * frame_classes_max + 23> words{};
    std::size_t count = 0;
    const auto add = [&](std::size_t word) { words[count++] = static_cast<std::uint32_t>(word); };
    add(limits.tasks);
    add(limits.operations);
    add(limits.descriptors);
    add(limits.multishot_buffers);
    for (const FrameClass& each : limits.frames) {
        add(each.bytes);
        add(each.count);
    }
    add(limits.inline_awaits);
    add(limits.bounded_workers);
    add(limits.unbounded_workers);
    add(limits.workers);
    add(limits.worker_stack_bytes);
    add(limits.worker_jobs);
    add(limits.posts);
    add(limits.post_bytes);
    add(limits.stop_limit_ms);
    add(static_cast<unsigned>(limits.await_tree_signal));
    add(limits.lock_memory);

    const RingSize ring = Operations::ring_size(limits);
    add(internal_operations);
    add(ring.submissions);
    add(ring.completions);
    add(runtime_bytes);
    add(sizeof(SpawnedTask<void>));
    add(Mailbox::storage_bytes(1, limits.post_bytes));
    add(worker_stack_room(limits.worker_stack_bytes));
    add(frame_bytes_max);
    return words;
}

}  // namespace ringlet
