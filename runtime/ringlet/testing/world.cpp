// The world's parts put together, and the calls that need more than one of them.
#include <ringlet/testing/world.hpp>

#include <ringlet/run/run_loop.hpp>

#include <csignal>
#include <fcntl.h>

namespace ringlet::testing {
namespace {

bool goes_to_disk(int opcode, Object* object) {
    switch (opcode) {
        case IORING_OP_OPENAT:
        case IORING_OP_RENAMEAT:
        case IORING_OP_UNLINKAT:
        case IORING_OP_MKDIRAT:
        case IORING_OP_STATX: return true;
        default: return object != nullptr && object->as_file() != nullptr;
    }
}

}  // namespace

World::World(const SimulationOptions& options)
    : options_(options), random_(options.seed), seeded_faults_(random_, options.seed),
      files_(clock_, options.files, options.file_bytes, options.disk_bytes,
             options.unsynced_changes),
      network_(files_, clock_, random_, options_), input_(options.input_bytes),
      output_(options.output_bytes), error_(options.output_bytes), pipes_(options.pipes),
      // A descriptor that was closed lives on while an operation on it is late.
      open_files_(2 * options.descriptors, files_),
      signal_descriptors_(options.signal_descriptors, signals_),
      event_descriptors_(options.event_descriptors),
      terminals_(options.terminals, options.terminal_bytes, clock_),
      open_devices_(options.open_devices),
      descriptors_(options.descriptors) {
    latencies_.fill({options.latency_min, options.latency_max});
    set_job_time(options.job_time_min, options.job_time_max);
    for (Object* stream : {static_cast<Object*>(&input_), static_cast<Object*>(&output_),
                           static_cast<Object*>(&error_)}) {
        stream->hold();
        RINGLET_ASSERT(install(*stream) >= 0);
    }
}

World::~World() {
    for (unsigned i = 0; i < options_.descriptors; ++i)
        descriptors_.close(static_cast<int>(i));
    network_.drop_received();
}

// ---- time ----

void World::advance_to(Instant monotonic) {
    while (next_event() <= monotonic && next_event() != never) {
        if (next_event() > clock_.now()) clock_.advance_to(next_event());
        network_.let_arrive();
        if (agenda_.next() <= clock_.now()) agenda_.run_next();
    }
    if (monotonic > clock_.now()) clock_.advance_to(monotonic);
}

void World::call_at(Instant when, Callback callback, void* context) {
    RINGLET_ASSERT(when != never);
    agenda_.add(when, callback, context);
}

void World::on_deadlock(Callback callback, void* context) {
    deadlock_ = callback;
    deadlock_context_ = context;
}

void World::report_deadlock() {
    if (deadlock_ == nullptr) {
        panic("deadlock: the ring waits without a time limit, and nothing in the simulated world "
              "can ever happen again",
              __FILE__, __LINE__);
    }
    deadlock_(deadlock_context_);
}

void World::set_latency(int opcode, Nanoseconds least, Nanoseconds most) {
    RINGLET_ASSERT(opcode >= 0 && opcode < IORING_OP_LAST && least <= most);
    latencies_[static_cast<std::size_t>(opcode)] = {least, most};
}

void World::slow_disk(Nanoseconds least, Nanoseconds most) {
    RINGLET_ASSERT(least.count() >= 0 && least <= most);
    disk_time_ = {least, most};
}

Nanoseconds World::draw_latency(int opcode, Object* object) {
    if (opcode < 0 || opcode >= IORING_OP_LAST) return Nanoseconds(0);
    const Nanoseconds own = draw(latencies_[static_cast<std::size_t>(opcode)]);
    if (!goes_to_disk(opcode, object)) return own;
    const Nanoseconds hanging{std::max<Instant>(disk_hangs_until_ - now(), 0)};
    return hanging + own + draw(disk_time_);
}

void World::set_job_time(Nanoseconds least, Nanoseconds most) {
    RINGLET_ASSERT(least.count() >= 0);
    job_time_ = {least, most};
}

Nanoseconds World::draw(Latency latency) {
    if (latency.most <= latency.least) return latency.least;
    const auto spread = static_cast<std::uint64_t>((latency.most - latency.least).count());
    return latency.least + Nanoseconds(random_.between(0, spread));
}

// ---- the process's surroundings ----

void World::feed(std::string_view text) {
    input_.feed(std::as_bytes(std::span(text)));
}

std::string_view World::written(int descriptor) const {
    RINGLET_ASSERT(descriptor == 1 || descriptor == 2);
    return descriptor == 1 ? output_.written() : error_.written();
}

bool World::raise(int signal) {
    if ((signals_.blocked & signal_bit(signal)) == 0) return false;
    signals_.pending |= signal_bit(signal);
    return true;
}

void World::unblock_signals(SignalSet signals) {
    signals_.blocked &= ~signals;
    signals_.pending &= signals_.blocked;  // those that would now be delivered are forgotten
}

StreamSocket& World::stream_at(int descriptor) {
    Object* object = descriptors_.at(descriptor);
    StreamSocket* socket = nullptr;
    if (object != nullptr && object->as_socket() != nullptr) {
        socket = object->as_socket()->as_stream();
    }
    RINGLET_ASSERT(socket != nullptr);
    return *socket;
}

void World::reset_connection(int descriptor) {
    stream_at(descriptor).abort();
}

void World::cut_connection(int descriptor) {
    stream_at(descriptor).cut();
}

// ---- opening ----

// Takes over the caller's reference, also when it fails.
int World::install(Object& object) {
    const int descriptor = descriptors_.install(object);
    if (descriptor < 0) object.release();
    return descriptor;
}

int World::start_of(int descriptor, const char* path) const {
    if (path[0] == '/' || descriptor == AT_FDCWD) return FileTree::root;
    Object* object = descriptors_.at(descriptor);
    if (object == nullptr) return -EBADF;
    OpenFile* folder = object->as_file();
    return folder != nullptr && S_ISDIR(folder->mode()) ? folder->node() : -ENOTDIR;
}

// The kernel reserves the number first, so a full table makes no file.
int World::open_file(int folder, const char* path, int flags, mode_t mode) {
    if (const int number = descriptors_.lowest_free(); number < 0) return number;
    const int start = start_of(folder, path);
    if (start < 0) return start;
    const int node = files_.open(start, path, flags, mode);
    if (node < 0) return node;
    if (TerminalLine* const terminal = terminal_at(node); terminal != nullptr) {
        files_.release(node);
        if (terminal->port.is_exclusive()) return -EBUSY;
        terminal->hold();
        return install(*terminal);
    }
    if (CharacterDevice* const device = device_at(node); device != nullptr) {
        files_.release(node);
        return open_device(*device, flags);
    }
    OpenFile* file = open_files_.take();
    if (file == nullptr) {
        files_.release(node);
        return -ENFILE;
    }
    file->open(node, flags);
    return install(*file);
}

// socket(2), pipe(2): what they may say besides. 0: nothing.
int World::fault_in_opening(bool socket) {
    const FaultRates& rates = options_.faults;
    PossibleFaults possible;
    possible.add_one_of({EMFILE, ENFILE}, rates.no_descriptors);
    if (socket) possible.add(ENOBUFS, rates.no_buffers);
    if (socket) possible.add(ENOMEM, rates.no_memory);
    return -seeded_faults_.choose(possible).number;
}

int World::open_socket(int family, int type, int protocol) {
    if (const int error = fault_in_opening(true); error != 0) return error;
    Socket* socket = nullptr;
    if (const int error = network_.open(family, type, protocol, socket); error != 0) return error;
    return install(*socket);
}

int World::open_pipe(std::array<int, 2>& ends) {
    if (const int error = fault_in_opening(false); error != 0) return error;
    Pipe* pipe = pipes_.take();
    if (pipe == nullptr) return -ENFILE;
    ends[0] = install(pipe->reader);
    ends[1] = install(pipe->writer);
    if (ends[1] >= 0) return 0;
    if (ends[0] >= 0) descriptors_.close(ends[0]);
    return ends[1];
}

int World::open_signals(SignalSet signals) {
    SignalDescriptor* descriptor = signal_descriptors_.take();
    if (descriptor == nullptr) return -ENFILE;
    descriptor->watch(signals);
    const int number = install(*descriptor);
    if (number >= 0) signals_.blocked |= signals;
    return number;
}

int World::open_waker() {
    EventDescriptor* descriptor = event_descriptors_.take();
    return descriptor == nullptr ? -ENFILE : install(*descriptor);
}

// ---- power ----

void World::cut_power(const PowerLoss& loss) {
    RINGLET_ASSERT(has_power());
    power_.cut();
    files_.lose_power(loss, options_.seed);
    // Nobody takes it if no program runs; a second one would be the end of the process.
    if (!run_is_stopping()) raise(SIGTERM);
}

bool World::begin_disk_operation() {
    if (power_.fails_now()) cut_power(power_.loss());
    return has_power();
}

int World::open_device(TerminalLine& line) {
    line.device.hold();
    return install(line.device);
}

// ---- devices ----

void World::begin_job() {
    in_job_ = true;
    job_extra_ = Nanoseconds(0);
}

Nanoseconds World::end_job() {
    in_job_ = false;
    return job_extra_;
}

void World::take_time(Nanoseconds span) {
    if (in_job_) {
        job_extra_ += span;
        return;
    }
    loop_stalled_ += span;
    advance(span);
}

void World::add_device(CharacterDevice& device) {
    device.node = files_.make_device(device.path());
    RINGLET_ASSERT(device.node >= 0);
    files_.keep(device.node);
    devices_.push_back(device);
}

void World::remove_device(CharacterDevice& device) {
    for (OpenDevice& file : open_devices_)
        file.lose(device);
    if (!device.is_linked()) return;
    device.unlink();
    files_.unlink(FileTree::root, device.path(), 0);
    files_.release(device.node);
}

CharacterDevice* World::device_at(int node) {
    CharacterDevice* device = devices_.front();
    while (device != nullptr && device->node != node) device = devices_.after(*device);
    return device;
}

int World::open_device(CharacterDevice& device, int flags) {
    OpenDevice* const file = open_devices_.take();
    if (file == nullptr) return -ENFILE;
    if (const int error = file->open(device, flags); error != 0) {
        file->release();
        return error;
    }
    return install(*file);
}

// ---- files, for tests ----

void World::make_folder(const char* path) {
    const int made = files_.make_folder(FileTree::root, path, 0755);
    RINGLET_ASSERT(made == 0 || made == -EEXIST);
    files_.keep(files_.find(FileTree::root, path));
}

void World::write_file(const char* path, std::string_view contents) {
    const int node = files_.open(FileTree::root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    RINGLET_ASSERT(node >= 0);
    const int count = files_.write(node, std::as_bytes(std::span(contents)), 0);
    RINGLET_ASSERT(count == static_cast<int>(contents.size()));
    files_.keep(node);
    files_.release(node);
}

// The terminals keep a reference and their name: they are the machine's, open or not.
TerminalLine& World::make_terminal(const char* path) {
    TerminalLine* const terminal = terminals_.take();
    RINGLET_ASSERT(terminal != nullptr);  // SimulationOptions::terminals
    terminal->node = files_.make_device(path);
    RINGLET_ASSERT(terminal->node >= 0);
    files_.keep(terminal->node);
    return *terminal;
}

TerminalLine* World::terminal(const char* path) {
    return terminal_at(files_.find(FileTree::root, path));
}

TerminalLine* World::terminal_at(int node) {
    for (TerminalLine& terminal : terminals_) {
        if (terminal.in_use() && terminal.node == node) return &terminal;
    }
    return nullptr;
}

std::string_view World::file(const char* path) const {
    const int node = files_.find(FileTree::root, path);
    RINGLET_ASSERT(node >= 0 && !files_[node].is_folder());
    return {reinterpret_cast<const char*>(files_[node].bytes.get()), files_[node].size};
}

void World::set_access(const char* folder, FolderAccess access) {
    const int node = files_.find(FileTree::root, folder);
    RINGLET_ASSERT(node >= 0 && files_[node].is_folder());
    files_.set_access(node, access);
}

}  // namespace ringlet::testing
