// The multi interface with curl_multi_poll(), which is faster at 32 connections than
// curl_multi_socket_action() over epoll.
#include <curl/curl.h>

#include <string>

#include "../common/measure.hpp"

using namespace bench;

static constexpr int connections = 32;

static void check(CURLMcode code) {
    if (code == CURLM_OK) return;
    std::fprintf(stderr, "curl: %s\n", curl_multi_strerror(code));
    std::exit(1);
}

struct Request {
    CURL* easy = curl_easy_init();
    Nanoseconds begin = 0;
};

static std::size_t on_body(char* data, std::size_t, std::size_t bytes, void*) {
    keep(data);
    return bytes;
}

class Requests {
public:
    Requests(const char* url, bool keep_alive) {
        curl_slist* const close = curl_slist_append(nullptr, "Connection: close");
        for (Request& request : requests_) {
            curl_easy_setopt(request.easy, CURLOPT_URL, url);
            curl_easy_setopt(request.easy, CURLOPT_WRITEFUNCTION, on_body);
            curl_easy_setopt(request.easy, CURLOPT_PRIVATE, &request);
            curl_easy_setopt(request.easy, CURLOPT_NOSIGNAL, 1L);
            curl_easy_setopt(request.easy, CURLOPT_FAILONERROR, 1L);
            if (!keep_alive) curl_easy_setopt(request.easy, CURLOPT_HTTPHEADER, close);
        }
    }

    void run(std::int64_t ops) {
        left_ = ops;
        for (Request& request : requests_) begin(request);
        for (under_way_ = connections; under_way_ > 0;) {
            check(curl_multi_poll(multi_, nullptr, 0, 1000, nullptr));
            int running = 0;
            check(curl_multi_perform(multi_, &running));
            take_ended();
        }
    }
    Latencies& latencies() { return latencies_; }

private:
    void begin(Request& request) {
        left_--;
        request.begin = now();
        check(curl_multi_add_handle(multi_, request.easy));
    }
    void take_ended() {
        int left = 0;
        while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
            end(message->easy_handle, message->data.result);
        }
    }
    void end(CURL* easy, CURLcode result) {
        if (result != CURLE_OK) {
            std::fprintf(stderr, "curl: %s\n", curl_easy_strerror(result));
            std::exit(1);
        }
        char* owner = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
        Request& request = *reinterpret_cast<Request*>(owner);
        latencies_.add(now() - request.begin);
        check(curl_multi_remove_handle(multi_, easy));
        if (left_ > 0) {
            begin(request);
        } else {
            under_way_--;
        }
    }

    CURLM* const multi_ = curl_multi_init();
    Request requests_[connections];
    Latencies latencies_;
    std::int64_t left_ = 0;
    int under_way_ = 0;
};

int main(int count, char** values) {
    const Arguments arguments(count, values);
    const std::string url = "http://127.0.0.1:" + std::to_string(arguments.number("port", 8080)) +
                            arguments.text("target", "/");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    Requests requests(url.c_str(), arguments.number("keep_alive", 1) != 0);
    measure("http_get", "curl", arguments.number("ops", 50'000), &requests.latencies(),
            [&](std::int64_t ops) { requests.run(ops); });
}
