// SPDX-License-Identifier: GPL-2.0-or-later
// A block that lies whole in a piece is decoded where it is; only one that is cut is copied together. The
// other machine may be anybody's: nothing is believed but what fits.
#include "extcap/remote/pcapng_feed.h"

#include <algorithm>
#include <string>
#include <utility>

#include "podman/annotate/codec.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kHeader = 8;  // type and length
constexpr std::size_t kFrame = 12;  // and the length again, behind
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::uint32_t kMaxInterfaces = 65536;
constexpr std::size_t kMostText =
    4096;  // of a filter, of metadata: both are kept as long as the capture lasts

std::size_t padded(std::size_t n) {
  return (n + 3) & ~std::size_t{3};
}
std::uint32_t u32(PcapngFeed::Bytes b, std::size_t at) {
  return get32(b.data() + at, false);
}
std::uint64_t time_at(PcapngFeed::Bytes b, std::size_t at) {
  return std::uint64_t{u32(b, at)} << 32U | u32(b, at + 4);
}
std::string_view text(PcapngFeed::Bytes b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

}  // namespace

Error PcapngFeed::damaged(const char* why) const {
  return {ErrorKind::damaged,
          "is no capture of podshark's: at byte " + std::to_string(offset_) + " is " + why,
          {}};
}

Status PcapngFeed::feed(Bytes bytes) {
  if (failure_) return *failure_;
  Status done = pieces(bytes);
  if (!done) failure_ = done.error();
  return done;
}

Status PcapngFeed::pieces(Bytes bytes) {
  while (!bytes.empty()) {
    const Result<std::size_t> size = size_of(rest_.empty() ? bytes : Bytes(rest_));
    if (!size) return size.error();
    if (rest_.empty() && *size <= bytes.size()) {
      if (Status s = take(bytes.first(*size)); !s) return s;
      bytes = bytes.subspan(*size);
      continue;
    }
    // What is missing of the block, or of its header.
    const std::size_t n = std::min(*size - rest_.size(), bytes.size());
    rest_.insert(rest_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    const Result<std::size_t> known = size_of(rest_);
    if (!known) return known.error();
    if (rest_.size() < *known) continue;
    if (Status s = take(rest_); !s) return s;
    rest_.clear();
  }
  return ok();
}

// Of the block that begins here; of its header, as long as that is not there.
Result<std::size_t> PcapngFeed::size_of(Bytes start) const {
  if (start.size() < kHeader) return kHeader;
  if (!began_ && u32(start, 0) != wire::kSectionHeader) return damaged("no section header");
  const std::uint32_t size = u32(start, 4);
  if (size < kFrame || size % 4 != 0 || size > wire::kMaxBlock) return damaged("a block of a wrong length");
  return std::size_t{size};
}

Status PcapngFeed::take(Bytes whole) {
  if (u32(whole, whole.size() - 4) != whole.size()) return damaged("a block whose two lengths differ");
  const std::uint32_t type = u32(whole, 0);
  if (Verdict why = parse(type, whole)) return damaged(why);
  // Others were not looked into.
  if (hooks_.block && is_known(type)) hooks_.block(whole);
  offset_ += whole.size();
  return ok();
}

bool PcapngFeed::is_known(std::uint32_t type) {
  return type == wire::kSectionHeader || type == wire::kInterfaceDescription ||
         type == wire::kEnhancedPacket || type == wire::kNameResolution || type == wire::kInterfaceStatistics;
}

PcapngFeed::Verdict PcapngFeed::parse(std::uint32_t type, Bytes whole) {
  const Bytes body = whole.subspan(kHeader, whole.size() - kFrame);
  switch (type) {
    case wire::kSectionHeader:
      return section(body);
    case wire::kInterfaceDescription:
      return interface(body);
    case wire::kEnhancedPacket:
      return packet(body, whole);
    case wire::kNameResolution:
      return names(body, whole);
    case wire::kInterfaceStatistics:
      return statistics(body);
    default:
      return nullptr;
  }
}

PcapngFeed::Verdict PcapngFeed::section(Bytes body) {
  if (std::exchange(began_, true)) return "a second section";
  if (body.size() < 16) return "a section header that is too short";
  if (u32(body, 0) != kByteOrder) return "a section in another byte order";
  if (get16(body.data() + 4, false) != 1) return "a section of an unknown version";
  if (!check_options(body.subspan(16), false, OptionsOf::section)) return "a section with malformed options";
  if (hooks_.section) hooks_.section();
  return nullptr;
}

PcapngFeed::Verdict PcapngFeed::interface(Bytes body) {
  if (body.size() < 8) return "an interface that is too short";
  if (interfaces_ >= kMaxInterfaces) return "one interface more than 65536";
  const auto options = check_options(body.subspan(8), false, OptionsOf::interface);
  if (!options) return "an interface with malformed options";
  Interface out;
  out.number = interfaces_;
  out.linktype = get16(body.data(), false);
  out.snaplen = u32(body, 4);
  bool nanoseconds = false;
  for (Options rest = *options; const auto option = rest.next();) {
    const Bytes value = option->value;
    switch (option->code) {
      case 2:
        out.name = text(value);
        break;
      case 3:
        out.description = text(value);
        break;
      case 9:
        nanoseconds = value[0] == 9;
        break;
      case 11:
        if (value[0] == 0) out.filter = text(value.subspan(1)).substr(0, kMostText);
        break;
      case 14:
        if (get64(value.data(), false) != 0) return "an interface with a time of its own";
        break;
      case 2989:
        if (u32(value, 0) == annotate::kEnterpriseNumber && value.size() <= kMostText)
          out.metadata = text(value.subspan(4));
        break;
      default:
        break;
    }
  }
  if (!nanoseconds) return "an interface that does not count nanoseconds";
  ++interfaces_;
  if (hooks_.interface) hooks_.interface(out);
  return nullptr;
}

PcapngFeed::Verdict PcapngFeed::packet(Bytes body, Bytes whole) {
  constexpr std::size_t kFixed = 20;
  if (body.size() < kFixed) return "a packet block that is too short";
  if (u32(body, 0) >= interfaces_) return "a packet of an interface that is not there";
  const std::size_t captured = u32(body, 12);
  if (padded(captured) > body.size() - kFixed) return "a packet that is longer than its block";
  const auto options = check_options(body.subspan(kFixed + padded(captured)), false, OptionsOf::packet);
  if (!options) return "a packet with malformed options";
  if (hooks_.packet)
    hooks_.packet(
        {u32(body, 0), time_at(body, 4), body.subspan(kFixed, captured), u32(body, 16), *options, whole});
  return nullptr;
}

PcapngFeed::Verdict PcapngFeed::names(Bytes body, Bytes whole) {
  std::size_t used = 0;
  const auto records = check_options(body, false, OptionsOf::other, &used);
  if (!records || !well_formed_names(*records)) return "a block of malformed names";
  if (!check_options(body.subspan(used), false, OptionsOf::other)) return "names with malformed options";
  if (hooks_.names) hooks_.names(whole);
  return nullptr;
}

PcapngFeed::Verdict PcapngFeed::statistics(Bytes body) {
  if (body.size() < 12) return "a block of statistics that is too short";
  if (u32(body, 0) >= interfaces_) return "statistics of an interface that is not there";
  const auto options = check_options(body.subspan(12), false, OptionsOf::statistics);
  if (!options) return "a block of statistics with malformed options";
  wire::InterfaceCounters out{u32(body, 0), 0, time_at(body, 4), 0, 0};
  for (Options rest = *options; const auto option = rest.next();) {
    const Bytes value = option->value;
    if (option->code == 2) out.start_ns = time_at(value, 0);
    if (option->code == 3) out.end_ns = time_at(value, 0);
    if (option->code == 4) out.received = get64(value.data(), false);
    if (option->code == 5) out.dropped = get64(value.data(), false);
  }
  if (hooks_.statistics) hooks_.statistics(out);
  return nullptr;
}

}  // namespace podshark::extcap::remote
