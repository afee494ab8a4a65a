// The await tree: which tasks there are, what each waits for, where, and for how long.
#pragma once

#include <ringlet/task/task_block.hpp>

#include <array>
#include <string_view>

namespace ringlet {

// Walks the blocks below `root`, which has no parent, and gives the tree line by line, each with
// its newline, to `sink`; depth-first, indented by depth. Allocates nothing. Looks at most
// await_tree_depth_max levels deep; what is deeper shows as "...".
//
//   main: task group at app.cpp:41 for 12.031 s
//     reader: receive at app.cpp:17 for 0.004 s
inline constexpr unsigned await_tree_depth_max = 24;
void print_await_tree(TaskBlock& root, void (*sink)(std::string_view line, void* context),
                      void* context);

// " at app.cpp:41"; nothing in a build without await sites.
class SiteText {
public:
    explicit SiteText(const AwaitSite& site);
    const char* c_str() const { return words_.data(); }

private:
    std::array<char, 128> words_{};
};

}  // namespace ringlet
