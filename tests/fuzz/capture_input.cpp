// SPDX-License-Identifier: GPL-2.0-or-later
// libFuzzer target: foreign captures. The first byte of the input says how large the pieces are in which it
// is read, the second what is done with it. An annotated capture is read again as one: whole, with as many
// packets as were copied, and with the same bytes when it is annotated once more in other pieces.
#include "extcap/annotate/annotator.h"
#include "extcap/annotate/capture_reader.h"
#include "extcap/annotate/inflate.h"
#include "extcap/capture/pcap_reader.h"
#include "tests/fuzz/clean.h"

namespace {

using namespace podshark;
using namespace podshark::extcap;
using fuzz::clean;
using fuzz::require;

constexpr std::size_t kMostUnpacked = std::size_t{1} << 20U;  // so that a run takes milliseconds

ReadBytes pieces_of(std::string_view bytes, std::size_t piece) {
  return [rest = bytes, piece](std::span<std::uint8_t> out) mutable -> Result<std::size_t> {
    const std::size_t n = std::min({piece, out.size(), rest.size()});
    std::copy_n(rest.begin(), n, out.begin());
    rest.remove_prefix(n);
    return n;
  };
}

Result<std::string> unpacked(std::string_view bytes, std::size_t piece) {
  Inflate inflate(pieces_of(bytes, piece));
  std::string out;
  std::array<std::uint8_t, 4096> room{};
  while (out.size() < kMostUnpacked) {
    const auto n = inflate.read(room);
    if (!n) return n.error();
    if (*n == 0) break;
    out.append(reinterpret_cast<const char*>(room.data()), *n);
  }
  return out;
}

const model::Inventory& inventory() {
  static const model::Inventory known = [] {
    model::Inventory out;
    model::Container web;
    web.id = std::string(64, 'a');
    web.name = "web";
    web.networks = {{"lan", "eth0", "02:00:00:00:00:01", {"10.89.0.2/24"}, ""}};
    out.containers = {web};
    return out;
  }();
  return known;
}

struct Outcome {
  std::string bytes;
  AnnotateCounts counts;
  bool whole = false;
};

Outcome annotated(std::string_view capture, std::size_t piece, std::uint8_t way) {
  Target inside;
  inside.value = "podman:web";
  inside.container = inventory().containers.front();
  CaptureReader reader(pieces_of(capture, piece));
  Outcome out;
  if (const Status s = reader.begin(); !s) {
    clean(s.error());
    return out;
  }
  Annotator annotator(inventory(), (way & 1U) != 0 ? &inside : nullptr, /* redact= */ (way & 2U) != 0);
  for (;;) {
    const Result<Block> block = reader.next();
    if (!block) clean(block.error());
    out.whole = block && std::holds_alternative<EndOfFile>(*block);
    if (!block || out.whole) break;
    annotator.take(*block);
  }
  annotator.finish();
  out.bytes.assign(reinterpret_cast<const char*>(annotator.out()->data), annotator.out()->size);
  out.counts = annotator.counts();
  return out;
}

void annotate_it(std::string_view capture, std::size_t piece, std::uint8_t way) {
  const Outcome once = annotated(capture, piece, way);
  const Outcome other = annotated(capture, kMostUnpacked, way);
  require(once.bytes == other.bytes && once.whole == other.whole &&
          once.counts.packets == other.counts.packets);
  if (once.bytes.empty()) return;
  const Outcome again = annotated(once.bytes, piece, way);
  require(again.whole && again.counts.packets == once.counts.packets);
}

// As tcpdump's output is read.
struct Stream {
  std::uint64_t packets = 0;
  std::uint64_t sum = 0;
  bool good = true;
};

Stream streamed(std::string_view capture, std::size_t piece) {
  PcapReader reader;
  Stream out;
  while (out.good) {
    const std::span<std::uint8_t> room = reader.room();
    const std::size_t n = std::min({piece, room.size(), capture.size()});
    std::copy_n(capture.begin(), n, room.begin());
    reader.filled(n);
    capture.remove_prefix(n);
    const Result<bool> begun = reader.begun();
    if (!begun) return {0, 0, false};
    if (*begun) {
      out.good = static_cast<bool>(reader.read([&](const wire::Packet& p) {
        ++out.packets;
        out.sum = out.sum * 31 + p.time_ns + p.length;
        for (std::uint32_t i = 0; i < p.captured; ++i) out.sum = out.sum * 31 + p.data[i];
        return true;
      }));
      require(!out.good || !reader.pending());
    }
    if (n == 0) break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = std::size_t{input.byte()} + 1;
  const std::uint8_t way = input.byte();
  switch (way / 4 % 3) {
    case 0:
      annotate_it(input.rest(), piece, way);
      break;
    case 1: {
      const Result<std::string> plain = unpacked(input.rest(), piece);
      const Result<std::string> other = unpacked(input.rest(), kMostUnpacked);
      require(static_cast<bool>(plain) == static_cast<bool>(other) && (!plain || *plain == *other));
      if (plain) annotate_it(*plain, piece, way);
      break;
    }
    default: {
      const Stream cut = streamed(input.rest(), piece);
      const Stream whole = streamed(input.rest(), kMostUnpacked);
      require(cut.good == whole.good && cut.packets == whole.packets && cut.sum == whole.sum);
    }
  }
  return 0;
}
