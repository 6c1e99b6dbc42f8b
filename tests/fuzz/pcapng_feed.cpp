// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: what comes from another machine. The first byte of the input says how large the pieces
// are; cut or not, the same must come out, and what is handed out must be what a strict reader finds in it.
#include "extcap/remote/pcapng_feed.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

using namespace podshark::extcap;
using remote::PcapngFeed;

struct Seen {
  std::vector<std::uint8_t> copied;
  std::uint64_t sum = 0;
  std::uint32_t interfaces = 0;

  void add(PcapngFeed::Bytes b) {
    for (const std::uint8_t v : b) sum = sum * 31 + v;
  }
  void add(std::string_view t) { add({reinterpret_cast<const std::uint8_t*>(t.data()), t.size()}); }

  PcapngFeed feed{{
      .block = [this](PcapngFeed::Bytes b) { copied.insert(copied.end(), b.begin(), b.end()); },
      .section = [this] { sum += 1; },
      .interface =
          [this](const PcapngFeed::Interface& i) {
            if (i.number != interfaces++) std::abort();
            for (const auto t : {i.name, i.description, i.filter, i.metadata}) add(t);
          },
      .packet =
          [this](const PcapngFeed::Packet& p) {
            if (p.interface >= interfaces || p.block.size() > podshark::wire::kMaxBlock) std::abort();
            add(p.data);
            for (Options rest = p.options; const auto option = rest.next();) add(option->value);
          },
      .names = [this](PcapngFeed::Bytes b) { add(b); },
      .statistics =
          [this](const podshark::wire::InterfaceCounters& c) {
            if (c.interface_id >= interfaces) std::abort();
            sum += c.start_ns + c.end_ns + c.received + c.dropped;
          },
  }};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const PcapngFeed::Bytes input(data + 1, size - 1);
  Seen whole;
  const bool good = static_cast<bool>(whole.feed.feed(input));
  Seen cut;
  bool cut_good = true;
  for (std::size_t at = 0; at < input.size() && cut_good; at += piece)
    cut_good = static_cast<bool>(cut.feed.feed(input.subspan(at, std::min(piece, input.size() - at))));
  if (good != cut_good || whole.sum != cut.sum || whole.copied != cut.copied) std::abort();
  if (whole.feed.whole() != cut.feed.whole()) std::abort();
  // Blocks of unknown kinds are left out of the copy: it is all there is to be read.
  if (whole.copied.size() > input.size()) std::abort();
  if (whole.copied.empty()) return 0;
  Seen again;
  if (!again.feed.feed(whole.copied) || !again.feed.whole() || again.copied != whole.copied) std::abort();
  if (good && again.sum != whole.sum) std::abort();
  return 0;
}
