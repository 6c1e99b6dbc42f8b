// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/annotate/annotator.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "extcap/annotate/block_writer.h"
#include "extcap/interface_text.h"
#include "podman/annotate/codec.h"
#include "podman/annotate/redact.h"
#include "podman/core/text.h"
#include "podman/wire/ring.h"

namespace podshark::extcap {
namespace {

constexpr std::size_t kMaxEarly = std::size_t{16} << 20U;
enum : std::uint16_t {
  kShbUserAppl = 4,
  kIfName = 2,
  kIfDescription = 3,
  kEpbDropCount = 4,
  kCustomBinary = 2989
};

std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

void append(wire::Bytes* to, std::span<const std::uint8_t> bytes) {
  if (!wire::reserve(to, bytes.size())) throw std::bad_alloc();
  if (!bytes.empty()) std::memcpy(to->data + to->size, bytes.data(), bytes.size());
  to->size += bytes.size();
}

// "podshark 0.1.0", and who wrote the packets.
std::string application(Options options) {
  std::string out = std::string("podshark ") + PODSHARK_VERSION;
  for (; const auto option = options.next();) {
    if (option->code != kShbUserAppl) continue;
    const std::string first = one_line(text_of(option->value.data(), option->value.size()), 200);
    return first.compare(0, 8, "podshark") == 0 ? first : out + ", packets by " + first;
  }
  return out;
}

bool ours(std::string_view name) {
  return name.substr(0, 7) == "podman:" || name.substr(0, 12) == "podman-root:";
}

// A link's name holds no slash: behind the last one the plugin looks for it.
std::string link_name(std::string_view name) {
  std::string link = name.empty() ? "eth0" : one_line(name, 48);
  std::replace(link.begin(), link.end(), '/', '_');
  return link;
}

std::string_view description_of(Options options) {
  for (; const auto option = options.next();) {
    if (option->code == kIfDescription) return text_of(option->value.data(), option->value.size());
  }
  return {};
}

std::string metadata(const Target& inside, const std::string& link) {
  const model::Container& c = inside.container;
  annotate::Interface about{c.id, c.name, inside.pod, link, to_string(inside.point), {}, {}, c.netns};
  for (const model::Attachment& a : c.networks) {
    if (a.interface != link) continue;
    about.mac = a.mac;
    about.addresses = a.addresses;
  }
  return annotate::encode_interface(about);
}

}  // namespace

Annotator::Annotator(const model::Inventory& inventory, const Target* inside, bool redact)
    : inventory_(inventory), inside_(inside), redact_(redact) {}

Annotator::~Annotator() {
  wire::free_bytes(&out_);
  wire::free_bytes(&early_);
}

void Annotator::take(const Block& block) {
  std::visit([this](const auto& b) { put(b); }, block);
  if (early_.size > kMaxEarly) release();
}

void Annotator::finish() {
  if (!begun_) return;
  if (!told_) put_inventory(inventory_.time_ns);
  release();
}

// Before the first packet everything waits, so that the inventory may come first.
wire::Bytes* Annotator::place() {
  return holding_ ? &early_ : &out_;
}

void Annotator::release() {
  holding_ = false;
  append(&out_, {early_.data, early_.size});
  wire::free_bytes(&early_);
}

void Annotator::put_event(std::uint64_t time_ns, const std::string& info, const std::string& json) {
  const std::string pdu = annotate::upper_pdu(info, json);
  const auto size = static_cast<std::uint32_t>(pdu.size());
  if (size > annotate::kMaxPayload * 2 - 64 ||
      !wire::put_packet(&out_, 0, time_ns, reinterpret_cast<const std::uint8_t*>(pdu.data()), size, size)) {
    ++counts_.left_out;
  }
}

void Annotator::put_inventory(std::int64_t time_ns) {
  told_ = true;
  if (inventory_.taken_ns == 0) inventory_.taken_ns = inventory_.time_ns;
  inventory_.time_ns = time_ns;
  const std::vector<std::string> parts = annotate::encode_inventory_parts(inventory_);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    put_event(static_cast<std::uint64_t>(time_ns),
              annotate::inventory_info(inventory_, static_cast<unsigned>(i + 1),
                                       static_cast<unsigned>(parts.size())),
              parts[i]);
  }
  names_.put(inventory_, &out_);
}

// Only the first section's header is kept: there is one section in the end.
void Annotator::put(const SectionBlock& b) {
  section_.clear();
  if (std::exchange(begun_, true)) return;
  {
    BlockWriter w(&out_, kSectionHeader);
    w.u32(0x1A2B3C4D);
    w.u16(1);
    w.u16(0);
    w.u64(~std::uint64_t{0});  // section length not known
    w.options(b.options, {kShbUserAppl});
    w.text(kShbUserAppl, application(b.options));
    w.end_of_options();
  }
  wire::InterfaceInfo info{};
  info.linktype = wire::kLinktypeUpperPdu;
  info.snaplen = wire::kMaxBlock;
  info.name = {annotate::kEventsInterface.data(), annotate::kEventsInterface.size()};
  if (!wire::put_interface(&out_, &info)) throw std::bad_alloc();
}

void Annotator::put(const InterfaceBlock& b) {
  const auto is_events = [](const Mapped& m) { return m.events; };
  if (b.linktype == wire::kLinktypeUpperPdu && b.name == annotate::kEventsInterface &&
      std::none_of(section_.begin(), section_.end(), is_events)) {
    section_.push_back({0, b.clock, true});
    return;
  }
  section_.push_back({interfaces_++, b.clock, false});
  BlockWriter w(place(), kInterfaceDescription);
  w.u16(b.linktype);
  w.u16(0);
  w.u32(b.snaplen);
  if (inside_ != nullptr && !ours(b.name) && b.linktype != wire::kLinktypeUpperPdu) {
    const std::string link = link_name(b.name);
    w.text(kIfName, inside_->value + "/" + link);
    w.text(kIfDescription, interface_description(*inside_));
    w.options(b.options, {kIfName, kIfDescription});
    w.custom(annotate::kEnterpriseNumber, metadata(*inside_, link));
  } else if (const auto here =
                 redact_ ? annotate::redact_interface(b.name, description_of(b.options)) : std::nullopt) {
    w.text(kIfName, here->name);
    w.text(kIfDescription, here->description);
    put_options(w, b.options, {kIfName, kIfDescription});
  } else {
    put_options(w, b.options);
  }
  w.end_of_options();
}

// What Podshark says in an option is a record like those of packets.
void Annotator::put_options(BlockWriter& w, Options from, std::initializer_list<std::uint16_t> except) {
  if (!redact_) return w.options(from, except);
  while (!from.empty()) {
    Options one = from;
    const auto option = from.next();
    if (!option) return;
    one.bytes = one.bytes.first(one.bytes.size() - from.bytes.size());
    if (option->code == kCustomBinary &&
        get32(option->value.data(), from.swapped) == annotate::kEnterpriseNumber) {
      const auto record =
          annotate::redact_record(text_of(option->value.data() + 4, option->value.size() - 4));
      if (record) w.custom(annotate::kEnterpriseNumber, record->json);
      continue;
    }
    w.options(one, except);
  }
}

void Annotator::put(const PacketBlock& b) {
  const Mapped& from = section_.at(b.interface);
  if (!told_) put_inventory(static_cast<std::int64_t>(from.clock.nanoseconds(b.ticks)));
  if (holding_) release();
  if (!from.events) {
    ++counts_.packets;
    return put_packet(b, from.id, b.ticks);
  }
  const std::uint64_t time_ns = from.clock.nanoseconds(b.ticks);
  redact_ ? put_redacted(b, time_ns) : put_packet(b, from.id, time_ns);
}

void Annotator::put_redacted(const PacketBlock& b, std::uint64_t time_ns) {
  const std::string_view payload = text_of(b.data.data(), b.data.size());
  const auto record = annotate::redact_record(annotate::upper_pdu_json(payload));
  if (!record) {
    ++counts_.left_out;
    return;
  }
  put_event(time_ns, record->info, record->json);
}

void Annotator::put_packet(const PacketBlock& b, std::uint32_t id, std::uint64_t ticks) {
  if (!b.whole.empty() && (!redact_ || b.options.empty())) {  // the block as it is, for another interface
    const std::size_t start = out_.size;
    append(&out_, b.whole);
    const std::uint32_t halves[3] = {id, static_cast<std::uint32_t>(ticks >> 32U),
                                     static_cast<std::uint32_t>(ticks)};
    std::memcpy(out_.data + start + 8, halves, sizeof(halves));
    return;
  }
  const auto captured = static_cast<std::uint32_t>(b.data.size());
  if (b.options.empty() && b.lost == 0 && captured <= wire::kMaxBlock - 64) {
    if (!wire::put_packet(&out_, id, ticks, b.data.data(), captured, b.length)) throw std::bad_alloc();
    return;
  }
  BlockWriter w(&out_, kEnhancedPacket);
  w.u32(id);
  w.u32(static_cast<std::uint32_t>(ticks >> 32U));
  w.u32(static_cast<std::uint32_t>(ticks));
  w.u32(captured);
  w.u32(b.length);
  w.bytes(b.data);
  if (b.options.empty() && b.lost == 0) return;
  put_options(w, b.options);
  if (b.lost != 0) {
    const std::uint64_t lost = b.lost;
    w.option(kEpbDropCount, {reinterpret_cast<const std::uint8_t*>(&lost), sizeof(lost)});
  }
  w.end_of_options();
}

void Annotator::put(const StatisticsBlock& b) {
  const Mapped& of = section_.at(b.interface);
  if (of.events) return;
  BlockWriter w(place(), kInterfaceStatistics);
  w.u32(of.id);
  w.u32(b.time_high);
  w.u32(b.time_low);
  w.options(b.options);
  w.end_of_options();
}

void Annotator::put(const NamesBlock& b) {
  if (redact_) return put(OtherBlock{});  // whoever made them may have asked the host
  BlockWriter w(place(), kNameResolution);
  w.options(b.records);
  w.end_of_options();
  if (b.options.empty()) return;
  w.options(b.options);
  w.end_of_options();
}

void Annotator::put(const SecretsBlock& b) {
  if (redact_) return put(OtherBlock{});
  BlockWriter w(place(), kDecryptionSecrets);
  w.u32(b.type);
  w.u32(static_cast<std::uint32_t>(b.secrets.size()));
  w.bytes(b.secrets);
  w.options(b.options);
  w.end_of_options();
}

void Annotator::put(const JournalBlock& b) {
  if (redact_) return put(OtherBlock{});  // holds _HOSTNAME
  BlockWriter(place(), kSystemdJournal).bytes(b.entry);
}

void Annotator::put(const CustomBlock& b) {
  if (redact_) return put(OtherBlock{});
  BlockWriter w(place(), kCustomCopied);
  w.u32(b.enterprise);
  w.bytes(b.content);
}

void Annotator::put(const OtherBlock& /*unused*/) {
  ++counts_.left_out;
}

}  // namespace podshark::extcap
