// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: packets, as far as podshark looks into them, and the answers of name servers. The first
// byte of the input chooses who reads it.
#include <span>

#include "extcap/capture/end_match.h"
#include "extcap/top/packet_flow.h"
#include "podman/probe/dns_message.h"
#include "podman/trace/content.h"
#include "podman/trace/headers.h"
#include "podman/wire/ring.h"
#include "tests/fuzz/clean.h"

namespace {

using namespace podshark;
using fuzz::require;

void flow(std::uint16_t linktype, std::span<const std::uint8_t> packet) {
  const extcap::top::PacketFlow f = extcap::top::read_flow(linktype, packet.data(), packet.size());
  require(f.ip || !f.ports);
  require(f.ports || (f.source_port == 0 && f.destination_port == 0));
}

// The packets of both ends of a link, each behind its length; the last bit of that says which end.
void both_ends(std::span<const std::uint8_t> rest) {
  extcap::EndMatch match;
  match.begin(0);
  std::uint64_t time = 1;
  for (; rest.size() >= 2; ++time) {
    const bool inside = (rest[0] & 1U) != 0;
    const std::size_t length = std::min<std::size_t>(rest[1], rest.size() - 2);
    const std::vector<std::uint8_t> packet(rest.begin() + 2, rest.begin() + 2 + static_cast<long>(length));
    match.packet(inside ? extcap::End::inside : extcap::End::host, inside ? 1 : 2, time * 1'000'000, packet);
    rest = rest.subspan(2 + length);
  }
  match.advance(time * 1'000'000 + 60'000'000'000, [](extcap::OneSided&&) {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte();
  const std::string_view text = input.rest();
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  switch (way % 6) {
    case 0:
      flow(wire::kLinktypeEthernet, bytes);
      flow(wire::kLinktypeRaw, bytes);
      flow(wire::kLinktypeSll2, bytes);
      break;
    case 1:
      if (const auto reply = probe::parse_dns_reply(text)) {
        require(reply->addresses.size() <= probe::kMaxDnsAddresses);
        (void)probe::dns_code_text(reply->code);
      }
      break;
    case 2:
      (void)trace::parse_packet(text);
      break;
    case 3:
      (void)trace::parse_headers(text.substr(0, text.size() / 2), text.substr(text.size() / 2));
      break;
    case 4:
      (void)trace::content_of(trace::ip_in_ethernet(bytes));
      (void)trace::content_of(bytes);
      break;
    default:
      both_ends(bytes);
  }
  return 0;
}
