// SPDX-License-Identifier: GPL-2.0-or-later
// What a user writes as TARGET of `podshark probe` and `podshark listen`. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "podman/core/result.h"
#include "podman/probe/attempt.h"

namespace podshark::extcap::probing {

/// HOST[:PORT][/PROTOCOL]; HOST may be "pod/NAME", an IPv6 address with a port is in brackets.
struct TargetText {
  std::string host;
  std::optional<std::uint16_t> port;
  std::optional<probe::Protocol> protocol;
};

inline constexpr std::array kProbeProtocols{probe::Protocol::tcp, probe::Protocol::udp, probe::Protocol::icmp,
                                            probe::Protocol::dns, probe::Protocol::path_mtu};

/// ErrorKind::usage: no host, a port out of range, a protocol that is not one of `known`.
[[nodiscard]] Result<TargetText> parse_target(const std::string& text,
                                              std::span<const probe::Protocol> known = kProbeProtocols);

/// "2", "0.5": milliseconds within the limits, whatever the locale. Nothing for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_seconds(const std::string& text,
                                                                     std::chrono::milliseconds least,
                                                                     std::chrono::milliseconds most);

/// False for what can not be a host name, e.g. "a b" or one longer than 253 bytes.
[[nodiscard]] bool is_host_name(const std::string& text);

}  // namespace podshark::extcap::probing
