// Everything of the runtime that a program uses. Single parts: <ringlet/sync/queue.hpp> and so on.
#pragma once

#include <ringlet/base/log.hpp>
#include <ringlet/base/units.hpp>
#include <ringlet/flow/batch.hpp>
#include <ringlet/flow/gather.hpp>
#include <ringlet/flow/generator.hpp>
#include <ringlet/flow/race.hpp>
#include <ringlet/flow/shield.hpp>
#include <ringlet/flow/task_group.hpp>
#include <ringlet/flow/timeout.hpp>
#include <ringlet/flow/with.hpp>
#include <ringlet/run/runtime.hpp>
#include <ringlet/task/attempt.hpp>
#include <ringlet/task/task.hpp>
#include <ringlet/task/yield.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/ticker.hpp>
