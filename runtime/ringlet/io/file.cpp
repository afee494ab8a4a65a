// Reading whole files.
#include <ringlet/io/file.hpp>

namespace ringlet {

Task<std::span<std::byte>> File::read_all(std::span<std::byte> into) {
    std::size_t count = 0;
    while (count < into.size()) {
        const std::size_t more = co_await read(into.subspan(count));
        if (more == 0) co_return into.first(count);
        count += more;
    }
    // It is full: was that all?
    std::byte beyond{};
    const std::size_t more = co_await read(std::span(&beyond, 1));
    if (more != 0) co_await fail(Error(std::errc::file_too_large, Domain::runtime));
    co_return into;
}

Task<std::span<std::byte>> read_file(const char* path, std::span<std::byte> into) {
    File file = co_await File::open(path);
    co_return co_await file.read_all(into);
}

}  // namespace ringlet
