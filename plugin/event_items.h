// SPDX-License-Identifier: GPL-2.0-or-later
// An event record as rows for the packet details. Pure: what comes out is plain data, so that epan calls that
// longjmp may follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace podshark::plugin {

enum class EventField : std::uint8_t {
  kind,
  what,
  event_host,
  container,
  container_id,
  link,
  detail,
  id,
  probe_id,
  probe_outcome,
  protocol,
  src,
  src_port,
  dst,
  dst_port,
  nat_orig_src,
  nat_orig_src_port,
  nat_orig_dst,
  nat_orig_dst_port,
  nat_reply_src,
  nat_reply_src_port,
  nat_reply_dst,
  nat_reply_dst_port,
  nat_via,
  nat_evidence,
  verdict,
  drop_reason,
  drop_function,
  drop_hook,
  fix,
  count,
  counted_link,  ///< "web/eth0": the counts below are of this link
  received,
  dropped,
  queue_dropped,
  memory_dropped,
  errors,
  host,
  containers,
  pods,
  networks,
  part,
  parts,
  listed,  ///< one container of an inventory, in words
};
inline constexpr std::size_t kEventFields = static_cast<std::size_t>(EventField::listed) + 1;

enum class EventKind : std::uint8_t { other, mark, drop, probe };
enum class Severity : std::uint8_t { none, note, warning, error };

struct EventItem {
  EventField field = EventField::kind;
  bool inner = false;          ///< belongs below the last item that is not
  const char* text = nullptr;  ///< clean, one line; nullptr: `number` is the value
  std::uint64_t number = 0;
};

struct EventItems {
  const EventItem* items = nullptr;
  std::size_t count = 0;
  const char* summary = "";  ///< "gap, restarted, web": kind, what happened, to whom
  const char* detail = "";
  Severity severity = Severity::none;
  EventKind kind = EventKind::other;
};

/// Gives `size` bytes that outlive the items, never nullptr.
using Allocate = void* (*)(void* scope, std::size_t size);

/// No items when `json` is no event record of ours.
[[nodiscard]] EventItems event_items(std::string_view json, Allocate allocate, void* scope) noexcept;

}  // namespace podshark::plugin
