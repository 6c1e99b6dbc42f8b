// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/capture_reader.h"

#include <algorithm>
#include <string>
#include <utility>

namespace podshark::extcap {
namespace {

constexpr std::uint32_t kMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kNanoseconds = 0xA1B23C4D;
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::size_t kPcapHeader = 24;
constexpr std::size_t kPcapRecord = 16;
constexpr std::size_t kBlockHeader = 12;  // type, length, and the byte order of a section or anything
constexpr std::size_t kMaxInterfaces = 65536;
constexpr std::size_t kMaxInterfaceBlock = std::size_t{1} << 20U;

std::size_t padded(std::size_t n) {
  return (n + 3) & ~std::size_t{3};
}

}  // namespace

std::uint32_t max_packet(std::uint16_t linktype) {
  constexpr std::uint16_t kDbus = 231;
  constexpr std::uint16_t kUsbPcap = 249;
  constexpr std::uint16_t kEbhscr = 279;
  const bool large = linktype == kDbus || linktype == kUsbPcap || linktype == kEbhscr;
  return large ? kMaxInputBlock - 64 : 262144;
}

Error CaptureReader::damaged(const std::string& why) const {
  return {ErrorKind::damaged, "is damaged at byte " + std::to_string(window_.offset()) + ": " + why, {}};
}

Error CaptureReader::cut_off(const char* within) const {
  const std::string where =
      std::string("ends in the middle of ") + within + " at byte " + std::to_string(window_.offset());
  if (const auto& failure = window_.failure())
    return {failure->kind, where + ": " + failure->what, failure->hint};
  return {ErrorKind::damaged, where, {}};
}

Status CaptureReader::begin() {
  const Bytes start = window_.ahead(kPcapHeader);
  const auto unknown = [&](const std::string& why) -> Status {
    if (const auto& failure = window_.failure())
      return Error{failure->kind, "cannot be read: " + failure->what, failure->hint};
    return Error{ErrorKind::usage, "is no capture file: " + why, "pcap and pcapng are read, also gzipped"};
  };
  if (start.size() < 4) return unknown("it is too short");
  const std::uint32_t magic = get32(start.data(), false);
  if (magic == kSectionHeader) {
    const Result<Block> section = next_pcapng();
    to_skip_ = 0;  // it is the first of the blocks
    return section ? ok() : unknown(section.error().what);
  }
  pcap_ = true;
  swapped_ = magic == __builtin_bswap32(kMicroseconds) || magic == __builtin_bswap32(kNanoseconds);
  const std::uint32_t turned = swapped_ ? __builtin_bswap32(magic) : magic;
  nanoseconds_ = turned == kNanoseconds;
  if (!nanoseconds_ && turned != kMicroseconds) return unknown("it begins otherwise");
  if (start.size() < kPcapHeader) return unknown("it ends within its header");
  if (u16(start, 4) != 2) return unknown("pcap version " + std::to_string(u16(start, 4)));
  return ok();
}

Result<Block> CaptureReader::next() {
  window_.skip(std::exchange(to_skip_, 0));
  return pcap_ ? next_pcap() : next_pcapng();
}

// ---- pcap -----------------------------------------------------------------------------------------------

// As pcapng would say it.
Block CaptureReader::pcap_interface() {
  const Bytes header = window_.ahead(kPcapHeader);
  const std::uint32_t network = u32(header, 20);
  InterfaceBlock out;
  out.linktype = static_cast<std::uint16_t>(network & 0xFFFFU);
  out.snaplen = u32(header, 16);
  out.clock.exponent = nanoseconds_ ? 9 : 6;
  std::size_t size = 0;
  const auto add = [&](std::uint8_t code, std::uint8_t value) {
    const std::array<std::uint8_t, 8> option{code, 0, 1, 0, value, 0, 0, 0};
    std::copy(option.begin(), option.end(), made_options_.begin() + static_cast<std::ptrdiff_t>(size));
    size += option.size();
  };
  add(9, out.clock.exponent);  // if_tsresol
  // Bit 26: the packets end in a frame check sequence of so many 16-bit words.
  if ((network & 0x04000000U) != 0) add(13, static_cast<std::uint8_t>((network >> 28U) * 2));
  out.options = {Bytes(made_options_).first(size), false, OptionsOf::interface};
  interfaces_ = {{out.linktype, out.snaplen, 0}};
  window_.skip(kPcapHeader);
  return out;
}

Result<Block> CaptureReader::next_pcap() {
  if (introduced_ < 2) return introduced_++ == 0 ? Block(SectionBlock{}) : pcap_interface();
  const Bytes header = window_.ahead(kPcapRecord);
  if (header.empty() && !window_.failure()) return Block(EndOfFile{});
  if (header.size() < kPcapRecord) return cut_off("a packet's header");
  const std::uint32_t captured = u32(header, 8);
  if (captured > max_packet(interfaces_[0].linktype))
    return damaged("a packet of " + std::to_string(captured) + " bytes");
  const std::size_t size = kPcapRecord + captured;
  const Bytes record = window_.ahead(size);
  if (record.size() < size) return cut_off("a packet");
  PacketBlock out;
  out.ticks = std::uint64_t{u32(record, 0)} * (nanoseconds_ ? 1'000'000'000 : 1'000'000) + u32(record, 4);
  out.data = record.subspan(kPcapRecord, captured);
  out.length = u32(record, 12);
  to_skip_ = size;
  return Block(out);
}

// ---- pcapng ---------------------------------------------------------------------------------------------

// Sets the byte order; nullptr or why not.
const char* CaptureReader::begin_section(Bytes ahead) {
  swapped_ = get32(ahead.data() + 8, false) == __builtin_bswap32(kByteOrder);
  if (!swapped_ && get32(ahead.data() + 8, false) != kByteOrder) return "a section without a byte order";
  return nullptr;
}

Result<Block> CaptureReader::next_pcapng() {
  const Bytes header = window_.ahead(kBlockHeader);
  if (header.empty() && !window_.failure()) return Block(EndOfFile{});
  if (header.size() < kBlockHeader) return cut_off("a block's header");
  const bool section = get32(header.data(), false) == kSectionHeader;
  if (section) {
    if (const char* why = begin_section(header)) return damaged(why);
  }
  const std::uint32_t size = u32(header, 4);
  if (size < kBlockHeader || size % 4 != 0 || size > kMaxInputBlock)
    return damaged("a block of " + std::to_string(size) + " bytes");
  const Bytes ahead = window_.ahead(size);
  if (ahead.size() < size) return cut_off("a block");
  const Bytes whole = ahead.first(size);
  if (u32(whole, size - 4) != size) return damaged("a block's two lengths differ");
  Parsed parsed = parse(section ? std::uint32_t{kSectionHeader} : u32(whole, 0), whole);
  if (const auto* why = std::get_if<const char*>(&parsed)) return damaged(*why);
  to_skip_ = size;
  return std::get<Block>(std::move(parsed));
}

CaptureReader::Parsed CaptureReader::parse(std::uint32_t type, Bytes whole) {
  const Bytes body = whole.subspan(8, whole.size() - kBlockHeader);
  switch (type) {
    case kSectionHeader:
      return section(body);
    case kInterfaceDescription:
      return interface(body);
    case kEnhancedPacket:
      return enhanced_packet(body, whole);
    case kOldPacket:
      return old_packet(body);
    case kSimplePacket:
      return simple_packet(body);
    case kNameResolution:
      return names(body);
    case kInterfaceStatistics:
      return statistics(body);
    case kDecryptionSecrets:
      return secrets(body);
    case kSystemdJournal:
      return JournalBlock{body};
    case kCustomCopied:
      return custom(body);
    default:
      return OtherBlock{};
  }
}

CaptureReader::Parsed CaptureReader::section(Bytes body) {
  if (body.size() < 16) return "a section header that is too short";
  if (u16(body, 4) != 1) return "a section of an unknown version";
  const auto options = check_options(body.subspan(16), swapped_, OptionsOf::section);
  if (!options) return "malformed options of a section";
  interfaces_.clear();
  return SectionBlock{*options};
}

CaptureReader::Parsed CaptureReader::interface(Bytes body) {
  if (body.size() < 8) return "an interface that is too short";
  if (body.size() > kMaxInterfaceBlock) return "an interface description without measure";
  if (++interface_count_ > kMaxInterfaces) return "more than 65536 interfaces";
  const auto options = check_options(body.subspan(8), swapped_, OptionsOf::interface);
  if (!options) return "malformed options of an interface";
  InterfaceBlock out;
  out.linktype = u16(body, 0);
  out.snaplen = u32(body, 4);
  out.options = *options;
  for (Options rest = *options; const auto option = rest.next();) {
    if (option->code == 2 && out.name.empty())
      out.name = {reinterpret_cast<const char*>(option->value.data()), option->value.size()};
    if (option->code == 9 && !out.clock.set_resolution(option->value[0]))
      return "an interface that counts time too finely";
    if (option->code == 14)
      out.clock.offset_s = static_cast<std::int64_t>(get64(option->value.data(), swapped_));
  }
  interfaces_.push_back({out.linktype, out.snaplen, 0});
  return out;
}

// What all kinds of packets share: `behind` begins with the data, options follow.
CaptureReader::Parsed CaptureReader::packet(PacketBlock block, Bytes behind, std::uint32_t captured) {
  if (block.interface >= interfaces_.size()) return "a packet of an interface that is not there";
  if (captured > max_packet(interfaces_[block.interface].linktype)) return "a packet that is too long";
  if (padded(captured) > behind.size()) return "a packet that is longer than its block";
  block.data = behind.first(captured);
  const auto options = check_options(behind.subspan(padded(captured)), swapped_, OptionsOf::packet);
  if (!options) return "malformed options of a packet";
  block.options = *options;
  // As it is only when the options end as they should, and with the block.
  constexpr std::size_t kEndOfOptions = 4;
  const std::size_t room = behind.size() - padded(captured);
  if (room != 0 && room != options->bytes.size() + kEndOfOptions) block.whole = {};
  interfaces_[block.interface].last_ticks = block.ticks;
  return block;
}

CaptureReader::Parsed CaptureReader::enhanced_packet(Bytes body, Bytes whole) {
  if (body.size() < 20) return "a packet block that is too short";
  PacketBlock out;
  out.interface = u32(body, 0);
  out.ticks = time(body, 4);
  out.length = u32(body, 16);
  if (!swapped_) out.whole = whole;
  return packet(out, body.subspan(20), u32(body, 12));
}

CaptureReader::Parsed CaptureReader::old_packet(Bytes body) {
  if (body.size() < 20) return "a packet block that is too short";
  PacketBlock out;
  out.interface = u16(body, 0);
  const std::uint16_t lost = u16(body, 2);
  out.lost = lost == 0xFFFF ? 0 : lost;  // not known
  out.ticks = time(body, 4);
  out.length = u32(body, 16);
  return packet(out, body.subspan(20), u32(body, 12));
}

CaptureReader::Parsed CaptureReader::simple_packet(Bytes body) {
  if (body.size() < 4) return "a packet block that is too short";
  if (interfaces_.empty()) return "a packet of an interface that is not there";
  PacketBlock out;
  out.ticks = interfaces_[0].last_ticks;
  out.length = u32(body, 0);
  const std::uint32_t snaplen = interfaces_[0].snaplen;
  const std::uint32_t captured = snaplen == 0 ? out.length : std::min(out.length, snaplen);
  if (padded(captured) != body.size() - 4) return "a packet of another length than its block";
  return packet(out, body.subspan(4), captured);
}

CaptureReader::Parsed CaptureReader::names(Bytes body) const {
  std::size_t used = 0;
  const auto records = check_options(body, swapped_, OptionsOf::other, &used);
  if (!records || !well_formed_names(*records)) return "malformed names";
  const auto options = check_options(body.subspan(used), swapped_, OptionsOf::other);
  if (!options) return "malformed options of names";
  return NamesBlock{*records, *options};
}

CaptureReader::Parsed CaptureReader::statistics(Bytes body) const {
  if (body.size() < 12) return "statistics that are too short";
  if (u32(body, 0) >= interfaces_.size()) return "statistics of an interface that is not there";
  const auto options = check_options(body.subspan(12), swapped_, OptionsOf::statistics);
  if (!options) return "malformed options of statistics";
  return StatisticsBlock{u32(body, 0), u32(body, 4), u32(body, 8), *options};
}

CaptureReader::Parsed CaptureReader::secrets(Bytes body) const {
  if (body.size() < 8) return "secrets that are too short";
  const std::size_t size = u32(body, 4);
  if (padded(size) > body.size() - 8) return "secrets that are longer than their block";
  const auto options = check_options(body.subspan(8 + padded(size)), swapped_, OptionsOf::other);
  if (!options) return "malformed options of secrets";
  return SecretsBlock{u32(body, 0), body.subspan(8, size), *options};
}

CaptureReader::Parsed CaptureReader::custom(Bytes body) const {
  if (body.size() < 4) return "a custom block that is too short";
  return CustomBlock{u32(body, 0), body.subspan(4)};
}

}  // namespace podshark::extcap
