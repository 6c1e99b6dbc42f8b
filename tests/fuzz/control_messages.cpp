// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: Wireshark's control pipe. The first byte of the input says how large the pieces are; cut
// or not, the same messages must come out, and written again they are the bytes that came in.
#include "extcap/control/message.h"
#include "tests/fuzz/clean.h"

using namespace podshark::extcap;

namespace {

struct Seen {
  std::string written;
  bool broken = false;
  bool operator==(const Seen&) const = default;
};

Seen decode(std::string_view bytes, std::size_t piece) {
  ControlDecoder decoder;
  Seen out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    decoder.feed(bytes.substr(0, piece));
    while (const auto message = decoder.next()) {
      podshark::fuzz::require(message->payload.size() <= kMaxControlPayload);
      out.written += encode(*message);
    }
  }
  out.broken = decoder.broken();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  podshark::fuzz::Input input(data, size);
  const std::size_t piece = std::size_t{input.byte()} + 1;
  const Seen whole = decode(input.rest(), std::max<std::size_t>(input.rest().size(), 1));
  podshark::fuzz::require(whole == decode(input.rest(), piece));
  podshark::fuzz::require(input.rest().starts_with(whole.written));
  return 0;
}
