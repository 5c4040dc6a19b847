// A page of figures as Prometheus reads it (text format 0.0.4), family by family.
//
//   MetricsPage page;
//   page.head("weir_workers", "Workers that run.", "gauge");
//   page.line("weir_workers", "", "2");
//   page.line("weir_breaker_workers", R"(state="open")", std::uint64_t{1});   // labels, without
//   braces
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir {

class MetricsPage {
 public:
  void head(std::string_view name, std::string_view help, std::string_view type) {
    text_.append("# HELP ").append(name).append(" ").append(help);
    text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  }

  void line(std::string_view name, std::string_view labels, std::string_view value) {
    text_.append(name);
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    text_.append(" ").append(value).append("\n");
  }

  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  void line(std::string_view name, std::string_view labels, Number value) {
    line(name, labels, std::string_view(std::to_string(value)));
  }

  void reserve(std::size_t bytes) { text_.reserve(bytes); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace weir
