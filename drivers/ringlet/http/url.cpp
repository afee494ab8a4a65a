// RFC 3986, as far as http:// needs it.
#include <ringlet/http/url.hpp>

#include <ringlet/http/error.hpp>
#include <ringlet/http/header.hpp>
#include <ringlet/io/address.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace ringlet::http {
namespace {

std::unexpected<Error> refused(Reason why) {
    return std::unexpected(make_error(why, Step::none));
}

// Whatever could end the request line, or is no ASCII: it has to be percent-encoded.
bool is_url_character(char c) {
    return c > 0x20 && c < 0x7f;
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_character(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_scheme_character(char c) {
    return is_name_character(c) ? c != '_' : c == '+';
}

// "http" of "http://host/"; none if there is no scheme, and the text is relative.
std::optional<std::string_view> scheme_of(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos || !is_letter(text.front())) return std::nullopt;
    const std::string_view scheme = text.substr(0, colon);
    if (!std::ranges::all_of(scheme, is_scheme_character)) return std::nullopt;
    return scheme;
}

bool parse_port(std::string_view digits, std::uint16_t& port) {
    if (digits.empty()) return true;  // "host:" (RFC 3986, 3.2.3)
    const char* const end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, port);
    return parsed.ec == std::errc{} && parsed.ptr == end && port != 0;
}

bool parse_host(std::string_view& authority, Url& url) {
    if (!authority.starts_with('[')) {
        const std::size_t end = std::min(authority.find(':'), authority.size());
        url.host = authority.substr(0, end);
        authority.remove_prefix(end);
        return !url.host.empty() && url.host.size() <= host_bytes_max &&
               std::ranges::all_of(url.host, is_name_character);
    }
    const std::size_t end = authority.find(']');
    if (end == authority.npos) return false;
    url.is_v6 = true;
    url.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
    return url.host.contains(':') && !url.host.contains('%') && parse_address(url.host, 1);
}

// A reference's parts (RFC 3986, appendix B), but for the fragment.
struct Parts {
    bool has_scheme = false;
    bool has_authority = false;
    bool has_query = false;
    std::string_view authority;
    std::string_view path;
    std::string_view query;
};

Parts split(std::string_view text) {
    Parts parts;
    text = text.substr(0, text.find('#'));
    if (const auto scheme = scheme_of(text)) {
        parts.has_scheme = true;
        text.remove_prefix(scheme->size() + 1);
    }
    if (text.starts_with("//")) {
        parts.has_authority = true;
        text.remove_prefix(2);
        const std::size_t end = std::min(text.find_first_of("/?"), text.size());
        parts.authority = text.substr(0, end);
        text.remove_prefix(end);
    }
    const std::size_t mark = text.find('?');
    parts.path = text.substr(0, mark);
    parts.has_query = mark != text.npos;
    if (parts.has_query) parts.query = text.substr(mark + 1);
    return parts;
}

// Writes a URL; what does not fit is counted, not written.
class Writer {
public:
    explicit Writer(std::span<char> room) : room_(room) {}

    void put(std::string_view text) {
        fits_ = fits_ && text.size() <= room_.size() - size_;
        if (!fits_ || text.empty()) return;
        std::memcpy(room_.data() + size_, text.data(), text.size());
        size_ += text.size();
    }
    void cut(std::size_t size) { size_ = size; }
    bool fits() const { return fits_; }
    std::size_t size() const { return size_; }
    std::string_view text() const { return {room_.data(), size_}; }

private:
    std::span<char> room_;
    std::size_t size_ = 0;
    bool fits_ = true;
};

// Appends one piece of a path, "/name"; "/." and "/.." are obeyed instead (RFC 3986, 5.2.4).
void put_segment(Writer& out, std::size_t path_begin, std::string_view segment, bool is_last) {
    if (segment == "/." || segment == "/..") {
        if (segment == "/..") {
            const std::size_t slash = out.text().substr(path_begin).rfind('/');
            if (slash != std::string_view::npos) out.cut(path_begin + slash);
        }
        if (is_last) out.put("/");
        return;
    }
    out.put(segment);
}

// `path` begins with a slash, or is empty.
void put_path(Writer& out, std::size_t path_begin, std::string_view path, bool is_last) {
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/', 1), path.size());
        const bool ends_here = is_last && end == path.size();
        put_segment(out, path_begin, path.substr(0, end), ends_here);
        path.remove_prefix(end);
    }
}

// What is left of a base's path when a relative one is put in its last segment's place.
std::string_view folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

void put_relative_path(Writer& out, const Parts& base, std::string_view path) {
    const std::size_t begin = out.size();
    if (path.starts_with('/')) return put_path(out, begin, path, true);
    put_path(out, begin, folder_of(base.path), false);
    // As "/first/second": the slash that joins it to the folder belongs to its first segment.
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view first = path.substr(0, end);
    const bool alone = end == path.size();
    if (first == "." || first == "..") {
        put_segment(out, begin, first == "." ? "/." : "/..", alone);
    } else {
        out.put("/");
        out.put(first);
    }
    put_path(out, begin, path.substr(end), true);
}

void put_query(Writer& out, const Parts& parts) {
    if (!parts.has_query) return;
    out.put("?");
    out.put(parts.query);
}

}  // namespace

bool operator==(const HostKey& one, const HostKey& other) {
    return one.port == other.port && same_name(one.host, other.host);
}

Result<Url> parse_url(std::string_view text) {
    if (!std::ranges::all_of(text, is_url_character)) return refused(Reason::url);
    const auto scheme = scheme_of(text);
    if (!scheme) return refused(Reason::url);
    if (same_name(*scheme, "https")) return refused(Reason::https);
    const Parts parts = split(text);
    if (!same_name(*scheme, "http") || !parts.has_authority) return refused(Reason::url);
    std::string_view authority = parts.authority;
    if (authority.contains('@')) return refused(Reason::credentials);
    Url url;
    if (!parse_host(authority, url)) return refused(Reason::url);
    if (authority.starts_with(':') ? !parse_port(authority.substr(1), url.port)
                                   : !authority.empty()) {
        return refused(Reason::url);
    }
    const std::string_view whole = text.substr(0, text.find('#'));
    url.target = whole.substr(static_cast<std::size_t>(parts.path.data() - text.data()));
    return url;
}

Result<std::string_view> resolve_url(std::string_view base, std::string_view reference,
                                     std::span<char> into) {
    const Parts from = split(base);
    const Parts to = split(reference);
    Writer out(into);
    if (to.has_scheme) {
        out.put(reference.substr(0, reference.find('#')));
    } else {
        out.put("http://");
        out.put(to.has_authority ? to.authority : from.authority);
        const std::size_t path_begin = out.size();
        if (to.has_authority) {
            put_path(out, path_begin, to.path, true);
        } else if (to.path.empty()) {
            out.put(from.path);
        } else {
            put_relative_path(out, from, to.path);
        }
        const bool keeps_query = !to.has_authority && to.path.empty() && !to.has_query;
        put_query(out, keeps_query ? from : to);
    }
    if (!out.fits()) return refused(Reason::url_bytes);
    const auto parsed = parse_url(out.text());
    if (!parsed) return std::unexpected(parsed.error());
    return out.text();
}

}  // namespace ringlet::http
