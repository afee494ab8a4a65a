// What takes more than one operation on a folder.
#include <ringlet/io/file_system.hpp>

namespace ringlet {

Task<void> sync_folder(const char* path) {
    File folder = co_await File::open(path, OpenMode::read | OpenMode::folder);
    co_await folder.sync();
}

}  // namespace ringlet
