// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/codec.h"
#include "podman/core/text.h"

namespace podshark::annotate {
namespace {

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
  // Tag numbers: epan/exported_pdu.h, EXP_PDU_TAG_*.
  constexpr unsigned kDissectorName = 12;
  constexpr unsigned kColumnProtocol = 33;
  constexpr unsigned kColumnInfo = 36;
  std::string out;
  tag(out, kDissectorName, "json");
  tag(out, kColumnProtocol, "Podman");
  tag(out, kColumnInfo, one_line(info, 240));
  tag(out, 0, "");
  out += json_text;
  return out;
}

}  // namespace podshark::annotate
