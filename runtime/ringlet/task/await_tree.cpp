// Printing the await tree. Recursion is bounded by await_tree_depth_max.
#include <ringlet/task/await_tree.hpp>

#include <ringlet/task/scheduler.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace ringlet {
namespace {

struct Printer {
    void (*sink)(std::string_view, void*);
    void* context;
    unsigned depth = 0;

    static void visit(TaskBlock& block, void* printer) {
        static_cast<Printer*>(printer)->print(block);
    }

    [[gnu::cold]] void say(const TaskBlock& block) {
        char line[256];
        const char* const name = block.name != nullptr ? block.name : "task";
        const bool runs = block.waiting == nullptr;
        const char* const reason = runs ? "running" : block.waiting->hooks->reason;
        const unsigned age_ms = runs ? 0 : scheduler().milliseconds() - block.since_ms;
        const int size = std::snprintf(
            line, sizeof line, "%*s%s: %s%s%s%s for %u.%03u s\n", static_cast<int>(2 * depth), "",
            name, reason, block.cancelled ? ", cancelled" : "", block.is_ready() ? ", ready" : "",
            SiteText(block.where).c_str(), age_ms / 1000, age_ms % 1000);
        sink({line, std::min(static_cast<std::size_t>(size), sizeof line - 1)}, context);
    }

    void print(TaskBlock& block) {
        if (depth == await_tree_depth_max) return sink("...\n", context);
        say(block);
        if (block.waiting == nullptr || block.waiting->hooks->children == nullptr) return;
        ++depth;
        block.waiting->hooks->children(*block.waiting, visit, this);
        --depth;
    }
};

}  // namespace

[[gnu::cold]] SiteText::SiteText([[maybe_unused]] const AwaitSite& site) {
#if RINGLET_AWAIT_SITES
    const char* const path = site.file_name();
    const char* const slash = std::strrchr(path, '/');
    const char* const file = slash != nullptr ? slash + 1 : path;
    std::snprintf(words_.data(), words_.size(), " at %s:%u", file[0] != '\0' ? file : "?",
                  static_cast<unsigned>(site.line()));
#endif
}

[[gnu::cold]] void print_await_tree(TaskBlock& root, void (*sink)(std::string_view, void*),
                                    void* context) {
    Printer printer{sink, context};
    printer.print(root);
}

}  // namespace ringlet
