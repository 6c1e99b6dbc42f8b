// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/event_payload.h"

namespace podshark::plugin {
namespace {

constexpr unsigned kTagEnd = 0;
constexpr unsigned kTagDissector = 12;

}  // namespace

std::string_view event_json(const std::uint8_t* data, std::size_t size) {
  const auto be16 = [&](std::size_t at) { return (unsigned{data[at]} << 8U) | data[at + 1]; };
  bool json = false;
  std::size_t at = 0;
  while (size - at >= 4) {
    const unsigned tag = be16(at);
    const std::size_t length = be16(at + 2);
    at += 4;
    if (length > size - at) return {};
    std::string_view value(reinterpret_cast<const char*>(data) + at, length);
    at += length;
    if (tag == kTagEnd)
      return json ? std::string_view(reinterpret_cast<const char*>(data) + at, size - at)
                  : std::string_view();
    if (tag != kTagDissector) continue;
    while (!value.empty() && value.back() == '\0') value.remove_suffix(1);  // the length may include padding
    json = value == "json";
  }
  return {};
}

}  // namespace podshark::plugin
