// What takes more than one operation on a folder.
#include <ringlet/io/file_system.hpp>

#include <ringlet/task/attempt.hpp>

#include <string_view>

namespace ringlet {

Task<void> sync_folder(const char* path) {
    File folder = co_await File::open(path, OpenMode::read | OpenMode::folder);
    const auto synced = co_await attempt(folder.sync());
    // EINVAL: a file system that has nothing to sync for a folder.
    if (!synced && synced.error() != std::errc::invalid_argument) co_await fail(synced.error());
}

Task<void> sync_name(const char* path) {
    const FolderPath folder = co_await folder_of(path);
    co_await sync_folder(folder.data());
}

Result<FolderPath> folder_of(const char* path) {
    std::string_view rest = path;
    while (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.empty()) rest = path[0] == '/' ? "/." : ".";
    const std::size_t slash = rest.rfind('/');
    rest = slash == rest.npos ? "." : rest.substr(0, slash == 0 ? 1 : slash);
    if (rest.size() > folder_path_bytes_max) {
        return std::unexpected(Error(std::errc::filename_too_long));
    }
    FolderPath folder{};
    rest.copy(folder.data(), rest.size());
    return folder;
}

}  // namespace ringlet
