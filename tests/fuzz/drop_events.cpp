// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what the BPF program puts into its ring, of which the packet is anybody's. Records follow
// each other, each behind its length (two bytes); a name that one tells counts for the next ones.
#include "extcap/capture/drop_record.h"
#include "podman/trace/content.h"
#include "tests/fuzz/clean.h"

namespace {

using namespace podshark;
using fuzz::clean;
using fuzz::require;

void check(const extcap::Drop& drop, std::span<const std::uint8_t> record) {
  require(drop.bytes.empty() || (drop.bytes.data() >= record.data() &&
                                 drop.bytes.data() + drop.bytes.size() <= record.data() + record.size()));
  const annotate::Event event = extcap::drop_event(drop, 1'700'000'000'000'000'000);
  clean(event.detail);
  clean(event.fix);
  clean(extcap::drop_comment(event));
  const auto again = annotate::decode_event(annotate::encode_event(event));
  require(again && again->orig == event.orig && again->reason == event.reason);
  model::Container web;
  web.id = "776562776562";
  web.name = "web";
  const auto ip = drop.ethernet ? trace::ip_in_ethernet(drop.bytes) : drop.bytes;
  clean(extcap::trace_command(ip, web, {"10.88.0.2/16", "fd00::2/64"}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extcap::DropReader reader([](std::uint32_t reason) {
    return reason == 0 ? "" : reason % 2 == 0 ? "NETFILTER_DROP" : "NO_SOCKET";
  });
  for (std::span<const std::uint8_t> rest(data, size); rest.size() >= 2;) {
    const std::size_t length = std::min(std::size_t{rest[0]} | std::size_t{rest[1]} << 8U, rest.size() - 2);
    // A copy of its own, so that a read behind it is seen.
    const std::vector<std::uint8_t> record(rest.begin() + 2, rest.begin() + 2 + static_cast<long>(length));
    if (const auto drop = reader.read(record)) check(*drop, record);
    rest = rest.subspan(2 + length);
  }
  return 0;
}
