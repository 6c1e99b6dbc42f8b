// SPDX-License-Identifier: GPL-2.0-or-later
// What the targets have in common: the input's parts, and what must hold for whatever came out of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/naming.h"
#include "extcap/sentence.h"
#include "podman/annotate/codec.h"
#include "podman/core/text.h"

namespace podshark::fuzz {

/// Where the target calls from; clang 14 knows no std::source_location.
struct Caller {
  const char* file;
  int line;
  static Caller here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

inline void require(bool holds, Caller caller = Caller::here()) {
  if (holds) return;
  (void)std::fprintf(stderr, "%s:%d: does not hold\n", caller.file, caller.line);
  std::abort();
}

/// The input, taken apart from its front.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  [[nodiscard]] std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto out = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return out;
  }
  /// Up to the next byte 0.
  [[nodiscard]] std::string text() {
    const std::size_t end = std::min(rest_.find('\0'), rest_.size());
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return out;
  }
  /// All that is left, so cut into pieces.
  [[nodiscard]] std::vector<std::string> texts() {
    std::vector<std::string> out;
    while (!rest_.empty()) out.push_back(text());
    return out;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// Fit for a terminal, a dialog and a line protocol: nothing in it that steers either.
inline void clean(std::string_view text, Caller caller = Caller::here()) {
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, caller);
  require(one_line(text, text.size()) == text, caller);
}

/// One line of UTF-8, which may land on a terminal too.
inline void one_line_of_json(std::string_view text, Caller caller = Caller::here()) {
  clean(text, caller);
}

inline void clean(const Error& error, Caller caller = Caller::here()) {
  require(!error.what.empty(), caller);
  clean(error.line(), caller);
}

/// As Wireshark reads one sentence of the extcap protocol: one line, `value` and `display` not empty.
inline void one_sentence(const std::string& value, const std::string& display) {
  std::ostringstream out;
  out << extcap::Sentence("interface").with("value", value).with("display", display);
  const std::string line = out.str();
  require(line.ends_with("}\n") && line.starts_with("interface {value=") &&
          line.find("}{display=") != std::string::npos);
  clean(std::string_view(line).substr(0, line.size() - 1));
}

/// An inventory that was made of foreign words can be listed, written and read again.
inline void usable(const model::Inventory& inventory) {
  for (const model::Container& c : inventory.containers) {
    const std::string value = extcap::interface_value(c, /* caller= */ 1000);
    require(value.size() < extcap::kMaxInterfaceName);
    one_sentence(value, extcap::display_text(c, 1000));
    (void)extcap::kubernetes_name(c);
  }
  for (const model::Pod& p : inventory.pods)
    one_sentence(extcap::interface_value(p), extcap::display_text(p));
  for (const model::Network& n : inventory.networks)
    one_sentence(extcap::interface_value(n), extcap::display_text(n, 1));
  const std::string written = annotate::encode_inventory(inventory);
  one_line_of_json(written);
  const auto again = annotate::decode_inventory(written);
  require(again && annotate::encode_inventory(again->inventory) == written);
  for (const std::string& part : annotate::encode_inventory_parts(inventory)) {
    require(part.size() <= annotate::kMaxPayload);
    require(static_cast<bool>(annotate::decode_inventory(part)));
  }
}

}  // namespace podshark::fuzz
