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
#include <ringlet/testing/character_device.hpp>
#include <ringlet/testing/descriptor_table.hpp>
#include <ringlet/testing/event_descriptor.hpp>
#include <ringlet/testing/fault_plan.hpp>
#include <ringlet/testing/network.hpp>
#include <ringlet/testing/open_file.hpp>
#include <ringlet/testing/pipe.hpp>
#include <ringlet/testing/power_supply.hpp>
#include <ringlet/testing/random.hpp>
#include <ringlet/testing/seeded_faults.hpp>
#include <ringlet/testing/signal_descriptor.hpp>
#include <ringlet/testing/simulation_options.hpp>
#include <ringlet/testing/stall.hpp>
#include <ringlet/testing/standard_streams.hpp>
#include <ringlet/testing/terminal_line.hpp>
#include <ringlet/testing/trace.hpp>

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
    // From now on, the wall clock gains so many millionths on the monotonic one, or loses them; at
    // most a million, so that it stands still at the slowest.
    void drift_realtime(int parts_per_million) { clock_.drift_realtime(parts_per_million); }
    // Calls back, out of enter() or advance(), when the monotonic clock comes to `when`.
    void call_at(Instant when, Callback callback, void* context);
    // Nobody is called back with that context any more.
    void forget_calls(const void* context) { agenda_.forget(context); }
    Instant next_event() const { return std::min(agenda_.next(), network_.next_arrival()); }

    // Called when a ring waits, without a time limit, for what can never happen. After it enter()
    // returns with no completion. Without one, the process panics.
    void on_deadlock(Callback callback, void* context);
    void report_deadlock();

    // From now on each completion is given as a line of text (trace.hpp); null: no more. So two
    // runs can be compared, and a failing one read.
    void trace_to(TraceSink sink, void* context) {
        trace_sink_ = sink;
        trace_context_ = context;
    }

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
    // Makes a TCP connection half-open: what either end sends is swallowed, as much as a socket
    // holds, and neither hears of the other again, not even that it closed.
    void cut_connection(int descriptor);

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
    // Null if there is none at that path.
    TerminalLine* terminal(const char* path);

    // ---- for the models of devices (character_device.hpp) ----
    // The call that a device answers takes so long: a job on a worker ends so much later. On the
    // loop, which stands still meanwhile, the clock goes on, and it is counted.
    void take_time(Nanoseconds span);
    // For how long calls have kept the loop so far.
    Nanoseconds loop_stalled() const { return loop_stalled_; }
    bool is_in_job() const { return in_job_; }
    // The device has its name from now on, until remove_device(); its folder must be there.
    void add_device(CharacterDevice& device);
    void remove_device(CharacterDevice& device);
    // A descriptor of a device, or a negative errno.
    int open_device(CharacterDevice& device, int flags);

    // ---- power ----
    // The power fails: of the files is left what was synced and what `loss` spares; what a test put
    // there was synced. exists() and file() show it at once. The program is stopped as by SIGTERM,
    // and meanwhile each of its operations on the disk ends with EIO and does nothing.
    void cut_power(const PowerLoss& loss = {});
    // The same before the nth operation on the disk from now on, 1 for the next, which is not done.
    void cut_power_before(std::uint64_t nth, const PowerLoss& loss = {}) {
        power_.plan_cut(nth, loss);
    }
    // Simulation::run() begins with it.
    void restore_power() { power_.restore(); }
    bool has_power() const { return power_.is_on(); }
    // SQEs that worked on files or names.
    std::uint64_t disk_operations() const { return power_.operations(); }

    // ---- what shall go wrong, or take long ----
    // The next, or the n-th next, operation of this IORING_OP_* ends with -number, not executed.
    void fail_next(int opcode, int number) { faults_.fail_nth(opcode, 1, number); }
    void fail_nth(int opcode, unsigned nth, int number) { faults_.fail_nth(opcode, nth, number); }
    // The n-th operation of the whole run that a seeded fault can hit (see FaultRates), the first
    // being 1, ends with an errno that suits it. For a fault at each point: a first run without
    // one tells by operations_faultable() how many there are.
    void fail_operation(std::uint64_t nth) { seeded_faults_.fail_operation(nth); }
    std::uint64_t operations_faultable() const { return seeded_faults_.count(); }
    // Instead of SimulationOptions::faults, from now on: to prepare a test without any.
    void set_faults(const FaultRates& faults) { options_.faults = faults; }
    // Faults that were met so far, of fail_operation() and of SimulationOptions::faults.
    std::uint64_t faults_met() const { return seeded_faults_.met(); }
    void set_latency(int opcode, Nanoseconds least, Nanoseconds most);
    // What each operation on files and their names takes longer, from now on, drawn evenly between
    // the two. Closing takes no time; pipes, sockets and terminals are no files.
    void slow_disk(Nanoseconds least, Nanoseconds most);
    // For that long the disk answers nothing. What began before is not held up.
    void hang_disk(Nanoseconds span) { disk_hangs_until_ = later(now(), span); }
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
    int open_device(TerminalLine& line);
    int thread_refusal() const { return thread_refusal_; }
    void unblock_signals(SignalSet signals);
    // Called before each operation on the disk: false if it must end with EIO.
    bool begin_disk_operation();
    // The folder that a path given with `descriptor` starts in.
    int start_of(int descriptor, const char* path) const;
    StandardOutput& standard_error() { return error_; }
    void trace(const TraceEntry& entry) const {
        if (trace_sink_ != nullptr) write_line(entry, trace_sink_, trace_context_);
    }

    FileTree& files() { return files_; }
    Network& network() { return network_; }
    DescriptorTable& descriptors() { return descriptors_; }
    FaultPlan& faults() { return faults_; }
    SeededFaults& seeded_faults() { return seeded_faults_; }
    Random& random() { return random_; }
    // Of an operation on `object`, which is null if it works on a path, or was refused.
    Nanoseconds draw_latency(int opcode, Object* object = nullptr);
    // Whoever waits for the world to stall.
    StallWaiters& stall_waiters() { return stall_waiters_; }
    Nanoseconds draw_job_time() { return draw(job_time_); }
    // Around a job that runs on a worker: how much longer it shall last.
    void begin_job();
    Nanoseconds end_job();

private:
    struct Latency {
        Nanoseconds least{0};
        Nanoseconds most{0};
    };

    int install(Object& object);
    int fault_in_opening(bool socket);
    StreamSocket& stream_at(int descriptor);
    TerminalLine* terminal_at(int node);
    CharacterDevice* device_at(int node);
    Nanoseconds draw(Latency latency);

    SimulationOptions options_;
    Random random_;
    VirtualClock clock_;
    Agenda agenda_;
    FaultPlan faults_;
    SeededFaults seeded_faults_;
    std::array<Latency, IORING_OP_LAST> latencies_;
    Latency job_time_;
    Latency disk_time_;
    Instant disk_hangs_until_ = 0;
    StallWaiters stall_waiters_;
    int thread_refusal_ = 0;
    Callback deadlock_ = nullptr;
    void* deadlock_context_ = nullptr;
    TraceSink trace_sink_ = nullptr;
    void* trace_context_ = nullptr;

    PowerSupply power_;
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
    Pool<OpenDevice> open_devices_;
    IntrusiveList<CharacterDevice> devices_;
    bool in_job_ = false;
    Nanoseconds job_extra_{0};
    Nanoseconds loop_stalled_{0};
    DescriptorTable descriptors_;
};

}  // namespace ringlet::testing
