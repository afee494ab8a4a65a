// Keeping account of what is durable.
#include <ringlet/testing/disk.hpp>

#include <ringlet/base/panic.hpp>

#include <algorithm>
#include <cstring>

namespace ringlet::testing {

Disk::Disk(const std::vector<FileNode>& live, std::size_t file_bytes, unsigned changes_max)
    : live_(live), file_bytes_(file_bytes),
      sectors_((file_bytes + sector_bytes - 1) / sector_bytes), changes_max_(changes_max),
      contents_(live.size()),
      bytes_(std::make_unique_for_overwrite<std::byte[]>(live.size() * file_bytes)),
      dirty_(live.size() * sectors_) {
    RINGLET_ASSERT(changes_max >= 4);  // room for a rename beside one that is written back
    // A cut adds at most the name of each change; before it there is one for each node.
    entries_.reserve(live.size() + changes_max);
    changes_.reserve(changes_max);
}

// ---- what the tree does ----

void Disk::create(int node) {
    const FileNode& file = live(node);
    at(node) = {.mode = file.mode, .modified = file.modified};
    std::ranges::fill(dirty(node), 0);
    make_room();
    log(Kind::put, file.parent, file.text(), node);
}

// The new name is there before the old one is gone.
void Disk::rename(int node, int folder, std::string_view name) {
    make_room();
    log(Kind::put, folder, name, node);
    --operations_;
    log(Kind::remove, live(node).parent, live(node).text(), node);
}

void Disk::unlink(int node) {
    make_room();
    log(Kind::remove, live(node).parent, live(node).text(), node);
}

void Disk::truncate(int node) {
    std::ranges::fill(dirty(node), 0);
    if (live(node).size == 0) return;
    make_room();
    log(Kind::truncate, none, {}, node);
}

void Disk::write(int node, std::size_t begin, std::size_t end) {
    const std::size_t first = begin / sector_bytes;
    const std::size_t behind = (end + sector_bytes - 1) / sector_bytes;
    std::ranges::fill(dirty(node).subspan(first, behind - first), 1);
}

// ---- the log ----

void Disk::log(Kind kind, int folder, std::string_view name, int node) {
    Change change{
        .kind = kind, .operation = ++operations_, .entry = {.folder = folder, .node = node}};
    change.entry.size = name.copy(change.entry.bytes.data(), change.entry.bytes.size());
    changes_.push_back(change);
}

// For a rename, which is two.
void Disk::make_room() {
    if (changes_.size() + 2 > changes_max_) settle(end_of_operation(changes_.size() / 2));
}

// Behind the last change of the operation that this one belongs to.
std::size_t Disk::end_of_operation(std::size_t change) const {
    const std::uint64_t operation = changes_[change].operation;
    while (change < changes_.size() && changes_[change].operation == operation)
        ++change;
    return change;
}

void Disk::settle(std::size_t count) {
    for (const Change& change : std::span(changes_).first(count))
        apply(change);
    changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Disk::settle_synced() {
    const auto waiting = std::ranges::find(changes_, false, &Change::is_synced);
    settle(static_cast<std::size_t>(waiting - changes_.begin()));
}

void Disk::write_back_names() {
    settle(changes_.size());
}

void Disk::apply(const Change& change) {
    switch (change.kind) {
        case Kind::put: return put(change.entry);
        case Kind::remove: return remove(change.entry);
        case Kind::truncate: at(change.entry.node).size = 0;
    }
}

// One entry is written as a whole: it names the old node or the new one.
void Disk::put(const Entry& entry) {
    for (Entry& old : entries_) {
        if (old.folder != entry.folder || old.name() != entry.name()) continue;
        old.node = entry.node;
        return;
    }
    RINGLET_ASSERT(entries_.size() < entries_.capacity());
    entries_.push_back(entry);
}

void Disk::remove(const Entry& entry) {
    std::erase_if(entries_, [&](const Entry& old) {
        return old.folder == entry.folder && old.name() == entry.name();
    });
}

bool Disk::refers_to(int node) const {
    const auto names = [=](const Entry& entry) {
        return entry.node == node || entry.folder == node;
    };
    return std::ranges::any_of(entries_, names) ||
           std::ranges::any_of(changes_, names, &Change::entry);
}

// ---- syncing ----

// The contents include a truncation, which has no need to happen any more. Names are the folder's.
void Disk::sync(int node, bool data_only) {
    const auto contents = at(node);
    save(node);
    if (data_only) {
        at(node).mode = contents.mode;
        at(node).modified = contents.modified;
    }
    std::erase_if(changes_, [=](const Change& change) {
        return change.kind == Kind::truncate && change.entry.node == node;
    });
    for (Change& change : changes_)
        change.is_synced |= change.entry.folder == node;
    settle_synced();
}

void Disk::keep(int node) {
    sync(node, false);
    for (Change& change : changes_)
        change.is_synced |= change.entry.node == node;
    settle_synced();
}

void Disk::save(int node) {
    const FileNode& file = live(node);
    at(node) = {.mode = file.mode, .modified = file.modified, .size = file.size};
    std::memcpy(bytes(node), file.bytes.get(), file.size);
    std::ranges::fill(dirty(node), 0);
}

}  // namespace ringlet::testing
