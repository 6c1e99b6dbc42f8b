// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/nat_log.h"

#include <algorithm>
#include <utility>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using Tuple = model::Conntrack::Tuple;
constexpr std::int64_t kSecond = 1'000'000'000;

annotate::Event::Tuple to_tuple(const Tuple& t) {
  return {t.source.text(), t.destination.text(), t.source_port, t.destination_port};
}

std::string end(const IpAddress& address, std::uint16_t port) {
  if (port == 0) return address.text();
  return (address.is_v4() ? address.text() : "[" + address.text() + "]") + ":" + std::to_string(port);
}

}  // namespace

annotate::Event nat_record(const model::Conntrack& c, const NatOwner& owner, const char* what) {
  annotate::Event out;
  out.kind = "nat";
  out.what = what;
  out.id = hex(c.id, 8);
  out.container_id = owner.id;
  out.container = owner.name;
  out.protocol = annotate::protocol_word(c.protocol);
  out.orig = to_tuple(c.orig);
  out.reply = to_tuple(c.reply);
  out.detail = std::string(what) + ": " + translation_text(c);
  return out;
}

std::string translation_text(const model::Conntrack& c) {
  const char* protocol = annotate::protocol_word(c.protocol);
  std::string out = std::string(protocol == nullptr ? "?" : protocol) + " " +
                    end(c.orig.source, c.orig.source_port) + " → " +
                    end(c.orig.destination, c.orig.destination_port);
  const bool destination =
      c.orig.destination != c.reply.source || c.orig.destination_port != c.reply.source_port;
  const bool source = c.orig.source != c.reply.destination || c.orig.source_port != c.reply.destination_port;
  if (destination) out += " goes to " + end(c.reply.source, c.reply.source_port);
  if (source) out += " leaves as " + end(c.reply.destination, c.reply.destination_port);
  return out;
}

bool NatLog::set_owners(NatOwners owners) {
  const bool more =
      std::any_of(owners.begin(), owners.end(), [&](const auto& o) { return owners_.count(o.first) == 0; });
  owners_ = std::move(owners);
  return more;
}

const NatOwner* NatLog::owner_of(const model::Conntrack& c) const {
  // The end that is behind the translation comes first: of two containers it is the one that serves.
  for (const IpAddress* a : {&c.reply.source, &c.orig.source, &c.reply.destination, &c.orig.destination}) {
    if (const auto it = owners_.find(*a); it != owners_.end()) return &it->second;
  }
  return nullptr;
}

// Unused room of a second is kept, up to the burst.
bool NatLog::allowed(std::int64_t now_ns) {
  const std::int64_t passed = now_ns - counted_from_ns_;
  if (passed < 0 || passed >= kSecond) {
    const auto seconds = static_cast<std::uint64_t>(std::clamp<std::int64_t>(passed / kSecond, 1, 3600));
    left_ = std::min(kBurst, left_ + seconds * kPerSecond);
    counted_from_ns_ = now_ns;
  }
  if (left_ == 0) return false;
  --left_;
  return true;
}

std::optional<annotate::Event> NatLog::begun(const model::Conntrack& c, bool listed, std::int64_t now_ns) {
  if (!c.translated() || annotate::protocol_word(c.protocol) == nullptr) return std::nullopt;
  const NatOwner* owner = owner_of(c);
  if (owner == nullptr) return std::nullopt;
  const auto it = open_.find(c.id);
  if (it != open_.end() && it->second.connection.orig == c.orig) {
    it->second.generation = generation_;
    return std::nullopt;
  }
  if (listed ? list_left_ == 0 : !allowed(now_ns)) {
    ++skipped_;
    return std::nullopt;
  }
  if (listed) --list_left_;
  if (it != open_.end() || open_.size() < kMostOpen) open_[c.id] = {c, *owner, generation_};
  return nat_record(c, *owner, listed ? "seen" : "started");
}

std::optional<annotate::Event> NatLog::ended(const model::Conntrack& c) {
  const auto it = open_.find(c.id);
  if (it == open_.end() || it->second.connection.orig != c.orig ||
      annotate::protocol_word(c.protocol) == nullptr)
    return std::nullopt;
  const NatOwner owner = std::move(it->second.owner);
  open_.erase(it);
  return nat_record(c, owner, "ended");
}

void NatLog::list_begins() {
  ++generation_;
  list_left_ = kBurst;
}

void NatLog::list_ends() {
  std::erase_if(open_, [&](const auto& o) { return o.second.generation != generation_; });
}

std::vector<annotate::Event> NatLog::open_ones() const {
  std::vector<annotate::Event> out;
  for (const auto& [id, told] : open_) {
    if (out.size() == kBurst) break;
    out.push_back(nat_record(told.connection, told.owner, "seen"));
  }
  return out;
}

std::uint64_t NatLog::take_skipped() {
  return std::exchange(skipped_, 0);
}

}  // namespace podshark::extcap
