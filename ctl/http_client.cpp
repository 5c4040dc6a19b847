#include "ctl/http_client.h"

#include <curl/curl.h>

#include <array>
#include <stdexcept>

namespace weir::ctl {
namespace {

constexpr std::size_t kMostAnswer = 65'536;
constexpr long kConnectSeconds = 5, kSeconds = 30;

std::size_t keep(char* bytes, std::size_t size, std::size_t count, void* body) noexcept {
  auto& kept = *static_cast<std::string*>(body);
  try {
    if (kept.size() + size * count <= kMostAnswer) kept.append(bytes, size * count);
  } catch (const std::exception&) {
    return 0;  // no memory: libcurl ends the request
  }
  return size * count;
}

int look(void* is_stopped, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return (*static_cast<HttpClient::IsStopped*>(is_stopped))() ? 1 : 0;
}

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

}  // namespace

struct HttpClient::Curl {
  CURL* handle = curl_easy_init();
  curl_slist* headers = nullptr;
  IsStopped is_stopped;
  std::array<char, CURL_ERROR_SIZE> error{};

  explicit Curl(IsStopped stopped) : is_stopped(stopped) {
    if (handle == nullptr) throw std::runtime_error("libcurl cannot be used: no memory");
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");  // a body goes at once
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "weirctl");
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, kSeconds);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error.data());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &is_stopped);
  }
  ~Curl() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(handle);
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
};

HttpClient::HttpClient(std::string base, IsStopped is_stopped)
    : base_(std::move(base)), curl_(std::make_unique<Curl>(is_stopped)) {
  while (!base_.empty() && base_.back() == '/') base_.pop_back();
}

HttpClient::~HttpClient() = default;

std::string HttpClient::fault_of(const std::string& base) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0);
  if (code != CURLUE_OK) return curl_url_strerror(code);
  const std::string scheme = base.substr(0, base.find(':'));
  if (scheme != "http" && scheme != "https") return "it begins with neither http:// nor https://";
  if (base.find_first_of("?#") != std::string::npos) return "it has more than a host and a path";
  return {};
}

std::optional<HttpAnswer> HttpClient::get(const std::string& path, std::string& error) {
  curl_easy_setopt(curl_->handle, CURLOPT_HTTPGET, 1L);
  return perform(path, error);
}

std::optional<HttpAnswer> HttpClient::post(const std::string& path, const std::string& json,
                                           std::string& error) {
  curl_easy_setopt(curl_->handle, CURLOPT_POST, 1L);
  curl_easy_setopt(curl_->handle, CURLOPT_POSTFIELDS, json.c_str());
  curl_easy_setopt(curl_->handle, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(json.size()));
  return perform(path, error);
}

std::optional<HttpAnswer> HttpClient::perform(const std::string& path, std::string& error) {
  HttpAnswer answer;
  const std::string url = base_ + path;
  curl_easy_setopt(curl_->handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_->handle, CURLOPT_WRITEDATA, &answer.body);
  curl_->error[0] = '\0';
  const CURLcode code = curl_easy_perform(curl_->handle);
  if (code != CURLE_OK) {
    error = curl_->error[0] != '\0' ? curl_->error.data() : curl_easy_strerror(code);
    return std::nullopt;
  }
  curl_off_t wait = 0;
  curl_easy_getinfo(curl_->handle, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_getinfo(curl_->handle, CURLINFO_RETRY_AFTER, &wait);
  answer.retry_after = static_cast<long>(wait);
  return answer;
}

}  // namespace weir::ctl
