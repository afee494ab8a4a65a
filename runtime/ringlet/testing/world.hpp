// World: all that is outside the program under test, in memory. Time, files, sockets, pipes,
// signals, the standard streams, and the plan of what shall go wrong.
//
// SimulatedRing and SimulatedSystem are the program's two ways into it; the functions here are the
// test's. A world must outlive both. It allocates only when it is built.
//
//   World world({.seed = 7, .short_transfers = true});
//   SimulatedSystem system(world);
//   SimulatedRing ring(world, {.submissions = 32, .completions = 64});
#pragma once

#include <ringlet/testing/agenda.hpp>
#include <ringlet/testing/descriptor_table.hpp>
#include <ringlet/testing/event_descriptor.hpp>
#include <ringlet/testing/fault_plan.hpp>
#include <ringlet/testing/network.hpp>
#include <ringlet/testing/open_file.hpp>
#include <ringlet/testing/pipe.hpp>
#include <ringlet/testing/random.hpp>
#include <ringlet/testing/signal_descriptor.hpp>
#include <ringlet/testing/simulation_options.hpp>
#include <ringlet/testing/standard_streams.hpp>
#include <ringlet/testing/terminal_line.hpp>

#include <liburing.h>

#include <array>
#include <string_view>

namespace ringlet::testing {

class World {
public:
    explicit World(const SimulationOptions& options = {});
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    const SimulationOptions& options() const { return options_; }

    // ---- time ----
    Instant now(Clock clock = Clock::monotonic) const { return clock_.now(clock); }
    // Virtual time passes, and what was planned by call_at() is done on the way. A running ring
    // does this by itself when nothing else is left to do.
    void advance(Nanoseconds span) { advance_to(later(now(), span)); }
    void advance_to(Instant monotonic);
    // The board sleeps: boottime and realtime go on, monotonic does not.
    void suspend(Nanoseconds span) { clock_.suspend(span); }
    void jump_realtime(Nanoseconds span) { clock_.jump_realtime(span); }
    // Calls back, out of enter() or advance(), when the monotonic clock comes to `when`.
    void call_at(Instant when, Callback callback, void* context);
    Instant next_event() const { return std::min(agenda_.next(), network_.next_arrival()); }

    // Called when a ring waits, without a time limit, for what can never happen. After it enter()
    // returns with no completion. Without one, the process panics.
    void on_deadlock(Callback callback, void* context);
    void report_deadlock();

    // ---- the process's surroundings ----
    void feed(std::string_view text);  // into standard input
    void end_input() { input_.end(); }
    // All that descriptor 1 or 2 took; also after it was closed.
    std::string_view written(int descriptor) const;
    // False if the program did not block it: a real one would now take its default action.
    bool raise(int signal);
    // Those that are open, the three standard ones among them.
    unsigned open_descriptors() const { return descriptors_.open(); }
    void set_descriptor_limit(unsigned limit) { descriptors_.set_limit(limit); }
    // Breaks a connection: both ends get ECONNRESET.
    void reset_connection(int descriptor);

    // ---- files; paths are absolute, and it must be possible to do what is asked ----
    void make_folder(const char* path);
    void write_file(const char* path, std::string_view contents);
    bool exists(const char* path) const { return files_.find(FileTree::root, path) >= 0; }
    // Valid until the file changes.
    std::string_view file(const char* path) const;
    void set_access(const char* folder, FolderAccess access);
    void set_disk_bytes(std::size_t limit) { files_.set_disk_bytes(limit); }
    // A tty, and the other end of its line; its folder must be there. Valid as long as the world.
    TerminalLine& make_terminal(const char* path);

    // ---- what shall go wrong, or take long ----
    // The next, or the n-th next, operation of this IORING_OP_* ends with -number, not executed.
    void fail_next(int opcode, int number) { faults_.fail_nth(opcode, 1, number); }
    void fail_nth(int opcode, unsigned nth, int number) { faults_.fail_nth(opcode, nth, number); }
    void set_latency(int opcode, Nanoseconds least, Nanoseconds most);
    // Of the jobs that begin from now on.
    void set_job_time(Nanoseconds least, Nanoseconds most);
    // No thread can be had any more, for this reason; 0: they can.
    void refuse_threads(int number) { thread_refusal_ = number; }

    // ---- for SimulatedRing and SimulatedSystem: system calls, 0 or above or a negative errno ----
    int open_file(int folder, const char* path, int flags, mode_t mode);
    int open_socket(int family, int type, int protocol);
    int open_pipe(std::array<int, 2>& ends);
    int open_signals(SignalSet signals);
    int open_waker();
    int thread_refusal() const { return thread_refusal_; }
    void unblock_signals(SignalSet signals);
    // The folder that a path given with `descriptor` starts in.
    int start_of(int descriptor, const char* path) const;
    StandardOutput& standard_error() { return error_; }

    FileTree& files() { return files_; }
    Network& network() { return network_; }
    DescriptorTable& descriptors() { return descriptors_; }
    FaultPlan& faults() { return faults_; }
    Random& random() { return random_; }
    Nanoseconds draw_latency(int opcode);
    Nanoseconds draw_job_time() { return draw(job_time_); }

private:
    struct Latency {
        Nanoseconds least{0};
        Nanoseconds most{0};
    };

    int install(Object& object);
    TerminalLine* terminal_at(int node);
    Nanoseconds draw(Latency latency);

    SimulationOptions options_;
    Random random_;
    VirtualClock clock_;
    Agenda agenda_;
    FaultPlan faults_;
    std::array<Latency, IORING_OP_LAST> latencies_;
    Latency job_time_;
    int thread_refusal_ = 0;
    Callback deadlock_ = nullptr;
    void* deadlock_context_ = nullptr;

    FileTree files_;
    Network network_;
    Signals signals_;
    StandardInput input_;
    StandardOutput output_;
    StandardOutput error_;
    Pool<Pipe> pipes_;
    Pool<OpenFile> open_files_;
    Pool<SignalDescriptor> signal_descriptors_;
    Pool<EventDescriptor> event_descriptors_;
    Pool<TerminalLine> terminals_;
    DescriptorTable descriptors_;
};

}  // namespace ringlet::testing
