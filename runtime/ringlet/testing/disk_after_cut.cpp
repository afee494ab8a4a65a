// What a power cut leaves on the disk.
#include <ringlet/testing/disk.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet::testing {

// Of many things, which survive: none, all, or each by itself. Without the first two, a long list
// would nearly never be lost, or survive, as a whole.
class Disk::Draw {
public:
    explicit Draw(Random& random) : random_(random), way_(random.between(0, 2)) {}

    bool survives() { return way_ == 2 ? random_.between(0, 1) == 1 : way_ == 1; }

private:
    Random& random_;
    std::uint64_t way_;
};

void Disk::cut(const PowerLoss& loss, std::uint64_t world_seed) {
    Random random(loss.seed ^ Random(world_seed).next());
    cut_names(loss, random);
    for (int node = 0; node < static_cast<int>(live_.size()); ++node) {
        // What is deleted was never written, or long ago.
        if (live(node).in_use()) cut_contents(node, loss, random);
        at(node).is_stale = false;
        std::ranges::fill(dirty(node), 0);
    }
}

// ---- names, and truncations ----

void Disk::cut_names(const PowerLoss& loss, Random& random) {
    std::size_t prefix = 0;
    if (loss.survivors == Survivors::all) prefix = changes_.size();
    if (loss.survivors == Survivors::journalled) prefix = draw_prefix(random);
    const bool each = loss.survivors == Survivors::non_journalled;
    Draw draw(random);
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        const Change& change = changes_[i];
        const bool lucky = each && draw.survives();
        if (i < prefix || change.is_synced || lucky) {
            apply(change);
        } else if (change.kind == Kind::truncate) {
            at(change.entry.node).is_stale = true;
        }
    }
    changes_.clear();
}

// How many changes a journal keeps: all up to the last synced one at least.
std::size_t Disk::draw_prefix(Random& random) const {
    std::size_t least = 0;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        if (changes_[i].is_synced) least = end_of_operation(i);
    }
    const std::size_t count = random.size_between(least, changes_.size());
    return count == least ? least : end_of_operation(count - 1);
}

// ---- contents ----

void Disk::cut_contents(int node, const PowerLoss& loss, Random& random) {
    switch (loss.survivors) {
        case Survivors::synced: return;
        case Survivors::all: return save(node);
        case Survivors::journalled: return lose_size(node, random, true);
        case Survivors::non_journalled: return lose_size(node, random, false);
    }
}

// Ordered: new bytes reach the disk before the size that shows them, and none stand in blocks that
// a truncation has not freed yet.
void Disk::lose_size(int node, Random& random, bool ordered) {
    const FileNode& file = live(node);
    Contents& contents = at(node);
    if (random.between(0, 1) == 1) {
        contents.mode = file.mode;
        contents.modified = file.modified;
    }
    if (ordered && contents.is_stale) return;
    const std::size_t old_size = contents.size;
    const auto [least, most] = std::minmax(old_size, file.size);
    const std::size_t sizes[] = {old_size, file.size, random.size_between(least, most)};
    contents.size = sizes[random.between(0, 2)];
    if (contents.size > old_size) {
        std::memset(bytes(node) + old_size, 0, contents.size - old_size);
        if (ordered) {
            std::memcpy(bytes(node) + old_size, &file.bytes[old_size], contents.size - old_size);
        }
    }
    take_sectors(node, std::min(ordered ? old_size : contents.size, file.size), random);
}

// Those that were written, up to `end`.
void Disk::take_sectors(int node, std::size_t end, Random& random) {
    Draw draw(random);
    for (std::size_t begin = 0; begin < end; begin += sector_bytes) {
        if (dirty(node)[begin / sector_bytes] == 0 || !draw.survives()) continue;
        const std::size_t count = std::min(end - begin, sector_bytes);
        std::memcpy(bytes(node) + begin, &live(node).bytes[begin], count);
    }
}

// ---- back to a tree ----

void Disk::copy(int from, int to) {
    at(to) = at(from);
    std::memcpy(bytes(to), bytes(from), at(from).size);
}

void Disk::load(int node, FileNode& into) const {
    const Contents& contents = contents_[static_cast<std::size_t>(node)];
    into.mode = contents.mode;
    into.modified = contents.modified;
    into.size = contents.size;
    std::memcpy(into.bytes.get(), bytes(node), contents.size);
}

void Disk::rebase() {
    entries_.clear();
    changes_.clear();
    for (int node = 1; node < static_cast<int>(live_.size()); ++node) {
        if (!live(node).linked) continue;
        Entry entry{.folder = live(node).parent, .node = node};
        entry.size = live(node).text().copy(entry.bytes.data(), entry.bytes.size());
        entries_.push_back(entry);
    }
}

}  // namespace ringlet::testing
