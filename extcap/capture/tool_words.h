// SPDX-License-Identifier: GPL-2.0-or-later
// What tcpdump, dumpcap and podman say on stderr. Pure. It may come out of a container, so nothing of it is
// trusted: it becomes one clean line, one of a few known words, or a number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "podman/core/result.h"

namespace podshark::extcap {

/// The last line that is a complaint: no greetings, counts or other chatter. Empty when there is none.
[[nodiscard]] std::string complaint(const std::string& errors);

/// What that complaint means to the caller; `internal` for anything unheard of.
[[nodiscard]] ErrorKind complaint_kind(const std::string& complaint);

/// Programs that a lease (see leased()) found in place of the missing one, in its order.
[[nodiscard]] std::vector<std::string> found_tools(const std::string& errors);

/// What `uname -m` prints there, where a lease missed the tool; empty when it is not told.
[[nodiscard]] std::string reported_machine(const std::string& errors);

/// Packets that the program or its kernel buffer lost, as its closing lines say.
[[nodiscard]] std::optional<std::uint64_t> reported_drops(const std::string& errors);

}  // namespace podshark::extcap
