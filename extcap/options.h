// SPDX-License-Identifier: GPL-2.0-or-later
// The options that Wireshark's dialog and `podshark capture` share: one table, one reading, one set of
// limits.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "extcap/capture/session.h"

namespace podshark::extcap {

inline constexpr std::uint32_t kMaxSnaplen = 262144;
inline constexpr std::size_t kMaxRingMib = 1024;

/// Text of an option by its long name without dashes; nullopt when it was not given.
using OptionSource = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads link, links, point, drops, snaplen, promiscuous, follow, wait, start, nat, ring-size, queue-size,
/// method, sidecar-image, agent-image, node-pod, node-namespace, install-tool, all-host. Bad values and
/// impossible combinations are ErrorKind::usage, naming option and limits.
[[nodiscard]] Status read_link_options(const OptionSource& source, SessionOptions& options);

/// The `arg` sentences of --extcap-config for these options, numbered from `first`; the next free number.
/// Number of the --link selector, whose values --extcap-reload-option fills: always `first`.
int write_link_arguments(std::ostream& out, int first);
/// The `value` sentence of the selector's default.
void write_all_links_value(std::ostream& out, int number);

}  // namespace podshark::extcap
