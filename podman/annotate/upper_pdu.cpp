// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/codec.h"
#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

// Tag numbers: epan/exported_pdu.h, EXP_PDU_TAG_*.
constexpr unsigned kEnd = 0;
constexpr unsigned kDissectorName = 12;
constexpr unsigned kColumnProtocol = 33;
constexpr unsigned kColumnInfo = 36;

void tag(std::string& out, unsigned number, std::string_view value) {
  const std::size_t padded = (value.size() + 3) & ~std::size_t{3};
  const auto be16 = [&](std::size_t v) {
    out += static_cast<char>((v >> 8) & 0xFF);
    out += static_cast<char>(v & 0xFF);
  };
  be16(number);
  be16(padded);
  out += value;
  out.append(padded - value.size(), '\0');
}

}  // namespace

std::string upper_pdu(std::string_view info, std::string_view json_text) {
  std::string out;
  tag(out, kDissectorName, "json");
  tag(out, kColumnProtocol, "Podman");
  tag(out, kColumnInfo, one_line(info, 240));
  tag(out, kEnd, "");
  out += json_text;
  return out;
}

std::string_view upper_pdu_json(std::string_view payload) {
  const auto be16 = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(payload[at]) << 8U) |
           static_cast<unsigned char>(payload[at + 1]);
  };
  bool is_json = false;
  while (payload.size() >= 4) {
    const unsigned number = be16(0);
    const std::size_t length = be16(2);
    payload.remove_prefix(4);
    if (length > payload.size()) return {};
    std::string_view value = payload.substr(0, length);
    payload.remove_prefix(length);
    if (number == kEnd) return is_json ? payload : std::string_view();
    while (!value.empty() && value.back() == '\0') value.remove_suffix(1);  // the length includes padding
    if (number == kDissectorName) is_json = value == "json";
  }
  return {};
}

}  // namespace podshark::annotate
