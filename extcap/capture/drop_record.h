// SPDX-License-Identifier: GPL-2.0-or-later
// From what the BPF program sent to what the file says about a dropped packet. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "podman/annotate/codec.h"
#include "podman/model/inventory.h"

namespace podshark::extcap {

/// One dropped packet. `bytes` is valid as long as the record it was read from.
struct Drop {
  std::uint32_t tag = 0;
  std::uint64_t time_ns = 0;  ///< CLOCK_MONOTONIC
  std::span<const std::uint8_t> bytes;
  std::uint32_t length = 0;  ///< of the packet; more than `bytes` where the kernel did not let all be read
  bool ethernet = false;     ///< begins with a link layer header; else with IPv4 or IPv6
  std::string reason;        ///< "NETFILTER_DROP"
  std::string function;      ///< of the kernel, empty when it could not be named
  std::string hook;
  std::uint64_t netns = 0;
  std::uint32_t ifindex = 0;
  unsigned segments = 0;                 ///< so many packets on the wire (GSO); 0: just itself
  annotate::Event::Tuple original = {};  ///< of its connection, before any translation; empty: not known
  std::string protocol;                  ///< of the connection
  bool source_translated = false;
  bool destination_translated = false;
  bool noise = false;  ///< no loss to anybody, see podman/drops/explain.h
};

/// Names functions from the records that come before their first use.
class DropReader {
 public:
  using ReasonName = std::function<std::string(std::uint32_t)>;
  explicit DropReader(ReasonName reason) : reason_(std::move(reason)) {}

  /// Nothing for a record that tells a name, or that is malformed.
  [[nodiscard]] std::optional<Drop> read(std::span<const std::uint8_t> record);

 private:
  [[nodiscard]] std::string function(std::uint32_t number) const;
  ReasonName reason_;
  std::map<std::uint32_t, std::string> functions_;
};

/// The record for option 2989; `time_ns` is CLOCK_REALTIME. Its `detail` and `fix` are what comment() says
/// too.
[[nodiscard]] annotate::Event drop_event(const Drop& drop, std::int64_t time_ns);
/// "podshark trace --wait 60 web:80" and the like: what names the rule that dropped this packet of
/// `container` when it, or one like it, is sent again. `addresses`: the container's. Empty for other
/// protocols than TCP, UDP and echoes.
[[nodiscard]] std::string trace_command(std::span<const std::uint8_t> ip, const model::Container& container,
                                        const std::vector<std::string>& addresses);
/// "dropped: NETFILTER_DROP at nft_do_chain, FORWARD: a firewall rule dropped it; …".
[[nodiscard]] std::string drop_comment(const annotate::Event& event);

}  // namespace podshark::extcap
