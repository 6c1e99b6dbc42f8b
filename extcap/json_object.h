// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include "podman/core/text.h"

namespace podshark::extcap {

/// A JSON object under construction: `JsonObject(out).number("a", 1)` … the destructor closes it. Texts
/// become one clean line of at most 300 bytes.
class JsonObject {
 public:
  static constexpr std::size_t kMaxText = 300;

  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  ~JsonObject() { out_ += '}'; }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  JsonObject& number(const char* key, std::uint64_t value) { return raw(key, std::to_string(value)); }
  JsonObject& text(const char* key, const std::string& value) {
    return raw(key, json_string(value, kMaxText));
  }
  JsonObject& flag(const char* key, bool value) { return raw(key, value ? "true" : "false"); }
  /// Three decimals.
  JsonObject& decimal(const char* key, double value) {
    std::array<char, 40> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.3f", value);
    return raw(key, buffer.data());
  }
  JsonObject& raw(const char* key, const std::string& value) {
    begin(key);
    out_ += value;
    return *this;
  }
  /// `write` appends the value itself.
  template <typename Write>
  JsonObject& value(const char* key, Write write) {
    begin(key);
    write(out_);
    return *this;
  }
  template <typename List, typename Write>
  JsonObject& list(const char* key, const List& items, Write write) {
    begin(key);
    out_ += '[';
    const char* separator = "";
    for (const auto& item : items) {
      out_ += separator;
      write(out_, item);
      separator = ",";
    }
    out_ += ']';
    return *this;
  }
  template <typename List>
  JsonObject& texts(const char* key, const List& items) {
    return list(key, items, [](std::string& to, const std::string& s) { to += json_string(s, kMaxText); });
  }

 private:
  void begin(const char* key) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  std::string& out_;
};

}  // namespace podshark::extcap
