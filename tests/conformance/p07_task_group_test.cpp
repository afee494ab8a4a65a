// P7: TaskGroup. Tasks with an owner that outlives them.
#include "probes.hpp"
#include "support/cases.hpp"

#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/with.hpp>

#include <optional>
#include <string>

namespace ringlet::conformance {
namespace {

// Takes that long to unwind, and fails then: an error during the unwinding.
Task<void> fails_while_it_unwinds(std::chrono::milliseconds span) {
    co_await shield(error_after(span, std::errc::bad_message));
}
// Takes that long to unwind.
Task<void> unwinds_slowly(Census& census, std::chrono::milliseconds span) {
    const Alive here(census);
    co_await shield(sleep(span));
    co_await sleep(1h);
}

RINGLET_CASE(TaskGroup, ends_only_after_its_tasks) {
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&](std::chrono::milliseconds span, char name) -> Task<void> {
            co_await sleep(span);
            trace.add(name);
        };
        (void)group.spawn(work, 4ms, 'b');
        (void)group.spawn(work, 2ms, 'a');
        EXPECT_EQ(group.size(), 2u);
        co_await yield();
        trace.add('-');
    });
    trace.add('e');
    EXPECT_EQ(trace.text(), "-abe");
}

RINGLET_CASE(TaskGroup, gives_its_body_s_value) {
    Census census;
    const int value = co_await TaskGroup::run([&](TaskGroup& group) -> Task<int> {
        (void)group.spawn(value_after, 1ms, 3);
        co_await yield();
        co_return 6;
    });
    EXPECT_EQ(value, 6);
    {
        const Owned owned = co_await TaskGroup::run([&](TaskGroup&) -> Task<Owned> {
            co_await yield();
            co_return Owned(census, 4);
        });
        EXPECT_EQ(owned.number(), 4);
    }
    const int at_once_too = co_await TaskGroup::run([](TaskGroup&) { return at_once(3); });
    EXPECT_EQ(at_once_too, 3);
}

RINGLET_CASE(TaskGroup, ends_with_its_task_s_error_after_siblings_and_body_have_unwound) {
    Census census;
    bool came_on = false;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const Alive here(census);
        (void)group.spawn(forever, std::ref(census));
        (void)group.spawn(unwinds_slowly, std::ref(census), 6ms);
        (void)group.spawn(error_after, 2ms, std::errc::no_link);
        co_await sleep(1h);
        came_on = true;
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(census.alive, 0);
    EXPECT_FALSE(came_on);
}

RINGLET_CASE(TaskGroup, is_stopped_by_a_task_s_error_after_its_body_has_ended) {
    Census census;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<int> {
        (void)group.spawn(forever, std::ref(census));
        (void)group.spawn(error_after, 2ms, std::errc::no_link);
        co_await yield();
        co_return 5;
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, takes_its_body_s_error_like_a_task_s) {
    Census census;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn(forever, std::ref(census));
        (void)group.spawn(unwinds_slowly, std::ref(census), 3ms);
        co_await let_others_run();
        co_await fail(std::errc::no_such_device);
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_such_device));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, does_not_count_a_cancelled_task_as_a_failure) {
    Census census;
    const int value = co_await TaskGroup::run([&](TaskGroup& group) -> Task<int> {
        auto handle = group.spawn(forever, std::ref(census));
        co_await yield();
        handle.cancel();
        co_await sleep(1ms);
        EXPECT_EQ(group.suppressed(), 0u);
        EXPECT_EQ(group.size(), 0u);
        co_return 2;
    });
    EXPECT_EQ(value, 2);
}

RINGLET_CASE(TaskGroup, counts_the_errors_after_the_first) {
    unsigned suppressed = 99;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        // Looks last of all: its task ends after those that fail while they unwind.
        const auto looks = [&]() -> Task<void> {
            co_await shield(sleep(9ms));
            suppressed = group.suppressed();
        };
        (void)group.spawn(looks);
        (void)group.spawn(fails_while_it_unwinds, 4ms);
        (void)group.spawn(fails_while_it_unwinds, 5ms);
        (void)group.spawn(error_after, 1ms, std::errc::no_link);
        co_await yield();
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(suppressed, 2u);
}

TEST(TaskGroup, logs_the_errors_after_the_first) {
    testing::Simulation simulation;
    const auto main = []() -> Task<void> {
        const auto result = co_await attempt(TaskGroup::run([](TaskGroup& group) -> Task<void> {
            (void)group.spawn(fails_while_it_unwinds, 4ms);
            (void)group.spawn(error_after, 1ms, std::errc::no_link);
            co_await yield();
        }));
        EXPECT_TRUE(failed_with(result, std::errc::no_link));
    };
    EXPECT_EQ(simulation.run<support::case_limits>(main), 0);
    const std::string log(simulation.world().written(2));
    EXPECT_NE(log.find(text(Error(std::errc::bad_message))), std::string::npos) << log;
    EXPECT_EQ(log.find(text(Error(std::errc::no_link))), std::string::npos) << log;
}

RINGLET_CASE(TaskGroup, lets_tasks_spawn_tasks) {
    int leaves = 0;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        struct Tree {
            static Task<void> grow(TaskGroup& group, int depth, int& leaves) {
                co_await yield();
                if (depth == 0) {
                    ++leaves;
                    co_return;
                }
                (void)group.spawn(grow, std::ref(group), depth - 1, std::ref(leaves));
                (void)group.spawn(grow, std::ref(group), depth - 1, std::ref(leaves));
            }
        };
        (void)group.spawn(Tree::grow, std::ref(group), 3, std::ref(leaves));
        co_await yield();
    });
    EXPECT_EQ(leaves, 8);
}

RINGLET_CASE(TaskGroup, cancels_what_its_tasks_spawned_too) {
    Census census;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto parent = [&]() -> Task<void> {
            (void)group.spawn(forever, std::ref(census));
            co_await yield();
        };
        (void)group.spawn(parent);
        (void)group.spawn(error_after, 3ms, std::errc::no_link);
        co_await yield();
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, brings_an_error_out_of_nested_groups) {
    Census census;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& outer) -> Task<void> {
        (void)outer.spawn(forever, std::ref(census));
        co_await TaskGroup::run([&](TaskGroup& middle) -> Task<void> {
            (void)middle.spawn(forever, std::ref(census));
            co_await TaskGroup::run([&](TaskGroup& inner) -> Task<void> {
                (void)inner.spawn(forever, std::ref(census));
                (void)inner.spawn(error_after, 2ms, std::errc::no_link);
                co_await sleep(1h);
            });
        });
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, keeps_an_inner_group_s_error_from_the_outer_one_if_it_is_attempted) {
    const int value = co_await TaskGroup::run([&](TaskGroup& outer) -> Task<int> {
        auto sibling = outer.spawn(value_after, 4ms, 7);
        const auto inner = co_await attempt(TaskGroup::run([](TaskGroup& group) -> Task<void> {
            (void)group.spawn(error_after, 1ms, std::errc::no_link);
            co_await sleep(1h);
        }));
        EXPECT_TRUE(failed_with(inner, std::errc::no_link));
        const int seven = co_await sibling.join();
        co_return seven;
    });
    EXPECT_EQ(value, 7);
}

// --- cancellation from outside

RINGLET_CASE(TaskGroup, lets_an_outer_cancellation_through) {
    Census census;
    bool came_on = false;
    const auto work = [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn(forever, std::ref(census));
            (void)group.spawn(unwinds_slowly, std::ref(census), 3ms);
            co_await forever(census);
        });
        came_on = true;
    };
    const auto result = co_await attempt(timeout(2ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(census.alive, 0);
    EXPECT_FALSE(came_on);
}

RINGLET_CASE(TaskGroup, lets_an_outer_cancellation_through_after_its_body_has_ended) {
    // The commonest group of all: the body only spawns. If its tasks were cut short, its value must
    // not stand for success.
    Census census;
    bool came_on = false;
    const auto work = [&]() -> Task<int> {
        const int value = co_await TaskGroup::run([&](TaskGroup& group) -> Task<int> {
            (void)group.spawn(forever, std::ref(census));
            co_return 5;
        });
        came_on = true;
        co_return value;
    };
    const auto result = co_await attempt(timeout(2ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_FALSE(came_on);
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, gives_its_value_if_all_completed_although_it_was_cancelled) {
    Trace trace;
    const auto work = [&]() -> Task<int> {
        const int value = co_await TaskGroup::run([&](TaskGroup& group) -> Task<int> {
            const auto finishes = [&]() -> Task<void> { co_await shield(sleep(200ms)); };
            (void)group.spawn(finishes);
            co_return 5;
        });
        trace.add('v');
        co_return value;
    };
    const auto result = co_await attempt(timeout(50ms, work()));
    EXPECT_TRUE(result.has_value() && *result == 5);
    EXPECT_EQ(trace.text(), "v");
}

RINGLET_CASE(TaskGroup, gives_an_error_that_came_before_the_cancellation) {
    Census census;
    Trace trace;
    const auto work = [&]() -> Task<void> {
        const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn(error_after, 1ms, std::errc::no_link);
            (void)group.spawn(unwinds_slowly, std::ref(census), 300ms);
            co_await sleep(1h);
        }));
        trace.add(failed_with(result, std::errc::no_link) ? 'e' : '?');
        co_await yield();
        trace.add('!');
    };
    const auto result = co_await attempt(timeout(100ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "e");
}

RINGLET_CASE(TaskGroup, prefers_a_cancellation_to_an_error_that_came_of_it) {
    Trace trace;
    const auto work = [&]() -> Task<void> {
        const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn(fails_while_it_unwinds, 5ms);
            co_await sleep(1h);
        }));
        trace.add(result ? 'v' : '!');
    };
    const auto result = co_await attempt(timeout(2ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "");
}

// --- stopping

RINGLET_CASE(TaskGroup, accepts_a_spawn_while_it_stops_and_never_runs_it) {
    Census census;
    Trace trace;
    std::optional<TaskHandle<void>> late;
    const auto work = [&](Alive) -> Task<void> {
        trace.add('!');
        co_await yield();
    };
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto spawns_late = [&]() -> Task<void> {
            co_await shield(sleep(3ms));
            late.emplace(group.spawn(work, Alive(census)));
        };
        (void)group.spawn(spawns_late);
        (void)group.spawn(error_after, 1ms, std::errc::no_link);
        co_await sleep(1h);
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(trace.text(), "");
    EXPECT_TRUE(late.has_value() && late->done());
    const auto joined = co_await attempt(late->join());
    EXPECT_TRUE(failed_with(joined, std::errc::operation_canceled));
    late.reset();
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, accepts_a_spawn_from_a_destructor_while_it_stops) {
    Census census;
    Trace trace;
    const auto work = [&](Alive) -> Task<void> {
        trace.add('!');
        co_await yield();
    };
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto spawns_as_it_goes = [&]() -> Task<void> {
            const OnExit spawn([&] { (void)group.spawn(work, Alive(census)); });
            co_await sleep(1h);
        };
        (void)group.spawn(spawns_as_it_goes);
        (void)group.spawn(error_after, 1ms, std::errc::no_link);
        const OnExit spawn_too([&] { (void)group.spawn(work, Alive(census)); });
        co_await sleep(1h);
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(trace.text(), "");
    EXPECT_EQ(census.alive, 0);
}

// The argument is destroyed with the task's block, when the group has taken note of its end.
RINGLET_CASE(TaskGroup, waits_for_what_the_destructor_of_its_last_task_s_argument_spawns) {
    Trace trace;
    const auto work = [&]() -> Task<void> {
        co_await sleep(1ms);
        trace.add('w');
    };
    struct SpawnsAtEnd {
        SpawnsAtEnd(TaskGroup& where, const decltype(work)& what) : group(&where), work_(&what) {}
        SpawnsAtEnd(SpawnsAtEnd&& other) noexcept
            : group(std::exchange(other.group, nullptr)), work_(other.work_) {}
        SpawnsAtEnd& operator=(SpawnsAtEnd&&) = delete;
        ~SpawnsAtEnd() {
            if (group != nullptr) (void)group->spawn(*work_);
        }
        TaskGroup* group;
        const decltype(work)* work_;
    };
    // Takes a reference: the argument stays where the task keeps it, until the task's block goes.
    const auto holds = [](SpawnsAtEnd&&) -> Task<void> { co_await yield(); };
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn(holds, SpawnsAtEnd(group, work));
        co_await yield();
    });
    EXPECT_EQ(trace.text(), "w");
}

RINGLET_CASE(TaskGroup, cancel_tasks_ends_the_tasks_and_not_the_body) {
    Census census;
    Trace trace;
    const int value = co_await TaskGroup::run([&](TaskGroup& group) -> Task<int> {
        for (int i = 0; i < 3; ++i) (void)group.spawn(forever, std::ref(census));
        co_await yield();
        EXPECT_EQ(census.alive, 3);
        group.cancel_tasks();
        co_await sleep(1ms);
        EXPECT_EQ(census.alive, 0);
        EXPECT_EQ(group.size(), 0u);
        const auto work = [&]() -> Task<void> {
            trace.add('!');
            co_await yield();
        };
        auto late = group.spawn(work);
        const auto ended = co_await attempt(late.join());
        EXPECT_TRUE(failed_with(ended, std::errc::operation_canceled));
        co_return 4;
    });
    EXPECT_EQ(value, 4);
    EXPECT_EQ(trace.text(), "");
}

RINGLET_CASE(TaskGroup, try_spawn_sheds_load_and_the_group_goes_on) {
    Census census;
    const int made = co_await TaskGroup::run([&](TaskGroup& group) -> Task<int> {
        co_await yield();
        unsigned hogged = 0;
        while (scheduler().reserve_task()) ++hogged;
        const OnExit give_back([&] {
            for (; hogged > 0; --hogged) scheduler().release_task();
        });
        int spawned = 0;
        for (int i = 0; i < 5; ++i) {
            if (i == 2) {
                scheduler().release_task();
                --hogged;
            }
            const auto task = group.try_spawn(value_after, 1ms, i);
            if (task) {
                ++spawned;
            } else {
                EXPECT_TRUE(failed_with(task, RuntimeDetail::tasks));
                EXPECT_TRUE(failed_with(task, std::errc::not_enough_memory));
            }
        }
        co_await yield();
        co_return spawned;
    });
    EXPECT_EQ(made, 1);
}

RINGLET_CASE(TaskGroup, fails_when_a_spawn_has_no_memory) {
    Census census;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        (void)group.spawn(forever, std::ref(census));
        co_await yield();
        unsigned hogged = 0;
        while (scheduler().reserve_task()) ++hogged;
        auto handle = group.spawn(value_after, 1ms, 1);
        for (; hogged > 0; --hogged) scheduler().release_task();
        EXPECT_TRUE(handle.done());
        co_await sleep(1h);
    }));
    EXPECT_TRUE(failed_with(result, RuntimeDetail::tasks));
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, waits_for_tasks_spawned_by_a_body_that_got_no_frame) {
    co_await yield();
    Census census;
    // Not a coroutine: it spawns, and then has no frame to give.
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<int> {
        (void)group.spawn(forever, std::ref(census));
        (void)group.spawn(unwinds_slowly, std::ref(census), 2ms);
        return Task<int>::promise_type::get_return_object_on_allocation_failure();
    }));
    EXPECT_TRUE(failed_with(result, RuntimeDetail::frames));
    EXPECT_EQ(census.alive, 0);
}

// --- what CPython's groups and timeouts got wrong once; the numbers are those of its bug tracker

RINGLET_CASE(TaskGroup, cpython_95289_a_body_that_fails_as_it_unwinds_leaves_no_cancellation) {
    const auto body_fails_too = [](TaskGroup& group) -> Task<void> {
        (void)group.spawn(fails_after, 1ms, std::errc::no_link);
        co_await shield(error_after(200ms, std::errc::bad_message));
    };
    const auto result = co_await attempt(TaskGroup::run(body_fails_too));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    // Nothing of the group's own cancellation is left on this task.
    co_await sleep(1ms);
    const int value = co_await timeout(1h, value_after(1ms, 3));
    EXPECT_EQ(value, 3);
    EXPECT_FALSE(scheduler().running().cancelled);
}

RINGLET_CASE(TaskGroup, cpython_102780_a_timeout_inside_the_body_is_only_an_error_there) {
    Census census;
    const int value = co_await TaskGroup::run([&](TaskGroup& group) -> Task<int> {
        auto sibling = group.spawn(value_after, 6ms, 7);
        for (int i = 0; i < 3; ++i) {
            const auto late = co_await attempt(timeout(1ms, forever(census)));
            EXPECT_TRUE(failed_with(late, std::errc::timed_out));
        }
        co_await sleep(1ms);
        const int seven = co_await sibling.join();
        co_return seven;
    });
    EXPECT_EQ(value, 7);
}

RINGLET_CASE(TaskGroup, cpython_102780_a_timeout_cut_by_an_outer_one_reports_the_outer_one) {
    Census census;
    Trace trace;
    const auto inner = [&]() -> Task<void> {
        const auto late = co_await attempt(timeout(1h, forever(census)));
        trace.add(late ? 'v' : '!');
    };
    const auto result = co_await attempt(timeout(2ms, inner()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "");
}

RINGLET_CASE(TaskGroup, cpython_116720_an_inner_and_an_outer_group_that_fail_together) {
    // In the same turn a task of the outer and one of the inner group fail: the body of the outer
    // one must not go on behind the inner one.
    Census census;
    Trace trace;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& outer) -> Task<void> {
        const auto fails = [](int turns, std::errc code) -> Task<void> {
            co_await let_others_run(turns);
            co_await fail(code);
        };
        (void)outer.spawn(fails, 3, std::errc::no_link);
        const auto inner = co_await attempt(TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn(fails, 3, std::errc::bad_message);
            co_await forever(census);
        }));
        trace.add(inner ? 'v' : 'e');  // may be seen: an error that came first
        co_await yield();
        trace.add('!');
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(trace.count('!'), 0u);
    EXPECT_EQ(trace.count('v'), 0u);
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, cpython_116720_an_inner_group_cancelled_while_its_tasks_fail) {
    Census census;
    Trace trace;
    const auto result = co_await attempt(TaskGroup::run([&](TaskGroup& outer) -> Task<void> {
        (void)outer.spawn(error_after, 2ms, std::errc::no_link);
        co_await TaskGroup::run([&](TaskGroup& inner) -> Task<void> {
            (void)inner.spawn(fails_while_it_unwinds, 5ms);
            (void)inner.spawn(forever, std::ref(census));
            co_await sleep(1h);
        });
        trace.add('!');
    }));
    EXPECT_TRUE(failed_with(result, std::errc::no_link));
    EXPECT_EQ(trace.text(), "");
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, cpython_133747_an_error_held_up_does_not_hide_the_timeout) {
    const auto raises = []() -> Task<void> {
        co_await TaskGroup::run([](TaskGroup& group) -> Task<void> {
            (void)group.spawn(fails_at_once, std::errc::no_link);
            co_await yield();
        });
    };
    const auto delays = [&]() -> Task<void> {
        const auto result = co_await attempt(raises());
        EXPECT_TRUE(failed_with(result, std::errc::no_link));
        co_await sleep(1h);
        co_await fail(result.error());
    };
    const auto result = co_await attempt(timeout(2ms, delays()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
}

RINGLET_CASE(TaskGroup, cpython_134471_a_timeout_of_zero_does_not_swallow_a_cancellation) {
    Census census;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        TaskHandle<void>* self = nullptr;
        const auto work = [&]() -> Task<void> {
            co_await yield();
            self->cancel();
            const auto late = co_await attempt(timeout(0s, forever(census)));
            trace.add(late ? 'v' : '!');
        };
        auto handle = group.spawn(work);
        self = &handle;
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
        EXPECT_EQ(census.born, 0);
    });
    EXPECT_EQ(trace.text(), "");
}

RINGLET_CASE(TaskGroup, cpython_134471_a_cancellation_that_meets_a_timeout_of_zero) {
    Census census;
    Trace trace;
    co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
        const auto work = [&]() -> Task<void> {
            const auto late = co_await attempt(timeout(0s, unwinds_slowly(census, 3ms)));
            trace.add(late ? 'v' : 'e');
            co_await yield();
            trace.add('!');
        };
        auto handle = group.spawn(work);
        co_await sleep(1ms);
        handle.cancel();
        const auto result = co_await attempt(handle.join());
        EXPECT_TRUE(failed_with(result, std::errc::operation_canceled));
    });
    EXPECT_EQ(trace.count('!') + trace.count('v') + trace.count('e'), 0u);
    EXPECT_EQ(census.alive, 0);
}

RINGLET_CASE(TaskGroup, cpython_155433_cancel_tasks_lets_outer_timeouts_through) {
    Census census;
    Trace trace;
    const auto work = [&]() -> Task<void> {
        co_await TaskGroup::run([&](TaskGroup& group) -> Task<void> {
            (void)group.spawn(unwinds_slowly, std::ref(census), 8ms);
            co_await sleep(1ms);
            group.cancel_tasks();
        });
        trace.add('!');
    };
    const auto result = co_await attempt(timeout(4ms, work()));
    EXPECT_TRUE(failed_with(result, std::errc::timed_out));
    EXPECT_EQ(trace.text(), "");
    EXPECT_EQ(census.alive, 0);
}

// --- random trees

// A storm: a tree of tasks in which some fail, some are cancelled, some wait, all at random.
// Whatever comes out of it, nothing is left.
Task<void> storm(TaskGroup& group, Census& census, std::uint32_t& seed, int depth) {
    const Alive here(census);
    const auto roll = [&seed](std::uint32_t sides) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 16) % sides;
    };
    for (int i = 0; i < 3; ++i) {
        const auto what = roll(8);
        if (what == 0) co_await fail(std::errc::no_link);
        if (what <= 3 && depth > 0) {
            auto handle = group.spawn(storm, std::ref(group), std::ref(census), std::ref(seed),
                                      depth - 1);
            if (roll(3) == 0) handle.cancel();
            if (roll(3) == 0) (void)co_await attempt(handle.join());
        } else if (what == 4) {
            (void)co_await attempt(timeout(std::chrono::milliseconds(roll(3)), forever(census)));
        } else if (what == 5 && depth > 0) {
            const auto nested = [&](TaskGroup& inner) -> Task<void> {
                (void)inner.spawn(storm, std::ref(inner), std::ref(census), std::ref(seed),
                                  depth - 1);
                co_await storm(inner, census, seed, depth - 1);
            };
            (void)co_await attempt(TaskGroup::run(nested));
        } else if (what == 6) {
            co_await shield(sleep(1ms));
        } else {
            co_await yield();
        }
    }
}

TEST(TaskGroup, leaves_nothing_of_a_thousand_random_trees) {
    testing::Simulation simulation;
    for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
        const auto main = [seed]() -> Task<void> {
            Census census;
            std::uint32_t state = seed;
            const std::size_t frames = scheduler().frames().live();
            const auto body = [&](TaskGroup& group) -> Task<void> {
                for (int i = 0; i < 3; ++i) {
                    (void)group.spawn(storm, std::ref(group), std::ref(census), std::ref(state), 3);
                }
                co_await sleep(2ms);
                if (seed % 5 == 0) group.cancel_tasks();
            };
            const auto run_group = [&]() -> Task<void> { co_await TaskGroup::run(body); };
            (void)co_await attempt(timeout(std::chrono::milliseconds(seed % 7), run_group()));
            EXPECT_EQ(census.alive, 0);
            EXPECT_EQ(scheduler().frames().live(), frames);
        };
        EXPECT_EQ(simulation.run<support::case_limits>(main), 0) << "seed " << seed;
        EXPECT_FALSE(simulation.deadlocked()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace ringlet::conformance
